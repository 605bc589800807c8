import CGstMovie
import Editing
import Frames
import Glibc
import Scheduling
import Synchronization

/// One `movieedit`. Settings, statistics and latency are for any thread; the stream is for the one that moves frames.
final class MovieElement: @unchecked Sendable {
    /// What the latency query is answered with.
    struct Latency: Sendable {
        var isLive = false
        var upstream: Nanoseconds = 0
        var own: Nanoseconds = 0
    }

    let settings = Mutex(ElementSettings())
    let statistics = ElementStatistics()
    let latency = Mutex(Latency())
    /// Running time before which frames come too late for a sink; -1 for none.
    let earliest = Atomic<Int64>(-1)
    /// Set while the element is to give up waiting.
    let isUnblocked = Atomic<Bool>(false)
    let element: UnsafeMutablePointer<GstElement>
    private var stream: MovieStream?

    /// The body of `element`, which outlives it.
    init(_ element: UnsafeMutablePointer<GstElement>) { self.element = element }

    // MARK: States

    /// Loads the model. False, after an error message, when it cannot.
    func start() -> Bool {
        let settings = settings.withLock { $0 }
        isUnblocked.store(false, ordering: .relaxed)
        statistics.reset()
        do {
            stream = try MovieStream(settings, warn: warn)
            return true
        } catch {
            postError(GSTMOVIE_NO_MODEL, "\(error)")
            return false
        }
    }

    func stop() {
        stream = nil
        latency.withLock { $0 = Latency() }
        earliest.store(-1, ordering: .relaxed)
    }

    /// Plans for the negotiated format.
    func setInfo(_ info: GstVideoInfo) -> Bool {
        guard let stream, let layout = FrameLayout(info) else { return false }
        do {
            try stream.prepare(layout)
            noteUpstream()
            if latency.withLock({ $0.isLive }) { try stream.warmUp() }
        } catch {
            postError(GSTMOVIE_BAD_FORMAT, "\(error)")
            return false
        }
        renewLatency(frame: Self.duration(of: info))
        return true
    }

    /// What was shown belongs to another place of the stream.
    func flush() {
        stream?.shown?.clear()
        stream?.sessions.session.forgetFrames()
        stream?.policy.forgetTime()
        earliest.store(-1, ordering: .relaxed)
    }

    // MARK: Frames

    /// Edits one frame, or gives it its fallback. GST_FLOW_CUSTOM_SUCCESS drops it.
    func process(
        _ input: UnsafePointer<GstVideoFrame>, _ output: UnsafePointer<GstVideoFrame>, _ timing: GstMovieTiming
    ) -> GstFlowReturn {
        guard let stream, let layout = stream.layout, let shown = stream.shown,
            let source = layout.view(input), let target = layout.mutableView(output)
        else {
            postError(GSTMOVIE_EDIT_FAILED, "a frame came before its format was known.")
            return GST_FLOW_ERROR
        }
        let arrived = monotonicNanoseconds()
        let settings = settings.withLock { $0 }, latency = latency.withLock { $0 }
        do {
            try stream.follow(settings, mayWait: !latency.isLive, warn: warn)
            let verdict = try decide(stream, settings, latency, timing)
            guard verdict == .edit else {
                return fallBack(settings.fallback, verdict, timing, arrived) {
                    target.copy(from: $0 ? shown.view.readable : source)
                }
            }
            stream.sessions.session.frameTime = Self.known(timing.running_time).map { Double($0) / 1e9 }
            try stream.edit(source, into: target, strength: settings.strength)
        } catch {
            postError(GSTMOVIE_EDIT_FAILED, "\(error)")
            return GST_FLOW_ERROR
        }
        finish(stream, settings, latency, timing, arrived)
        if latency.isLive { shown.store(target.readable) }
        return GST_FLOW_OK
    }

    /// Streams that are not live have every frame edited, when the budget allows.
    private func decide(
        _ stream: MovieStream, _ settings: ElementSettings, _ latency: Latency, _ timing: GstMovieTiming
    ) throws -> LivePolicy.Verdict {
        guard latency.isLive else {
            waitForBudget(stream, settings.cpuBudget)
            return .edit
        }
        let earliest = earliest.load(ordering: .relaxed)
        let arrival = LivePolicy.Arrival(
            runningTime: Self.known(timing.running_time), now: Self.known(timing.now),
            upstreamLatency: latency.upstream, earliest: earliest < 0 ? nil : earliest,
            hasPicture: stream.shown?.isFilled ?? false)
        return stream.policy.decide(
            arrival, own: latency.own,
            isAfforded: stream.budget.allows(percent: settings.cpuBudget, now: monotonicNanoseconds()))
    }

    private func waitForBudget(_ stream: MovieStream, _ percent: UInt64) {
        while !stream.budget.allows(percent: percent, now: monotonicNanoseconds()) {
            if isUnblocked.load(ordering: .relaxed) { return }
            usleep(2000)
        }
    }

    /// An edit is done: counts it, and tells the pipeline when latencies have changed.
    private func finish(
        _ stream: MovieStream, _ settings: ElementSettings, _ latency: Latency, _ timing: GstMovieTiming,
        _ arrived: UInt64
    ) {
        let spent = monotonicNanoseconds() - arrived
        let now = Self.known(timing.now).map { $0 + Nanoseconds(spent) }
        stream.policy.noteEnd(now: now)
        var isLate = false
        if latency.isLive, let now, let time = Self.known(timing.running_time) {
            isLate = now > time + latency.upstream + latency.own
        }
        statistics.count(.edited, isLate: isLate, nanoseconds: spent)
        if latency.isLive { renewLatency(frame: Self.known(timing.duration) ?? 0) }
    }

    /// `copy` writes the last edited picture (true) or the source (false).
    private func fallBack(
        _ fallback: GstMovieFallback, _ verdict: LivePolicy.Verdict, _ timing: GstMovieTiming, _ arrived: UInt64,
        copy: (Bool) -> Void
    ) -> GstFlowReturn {
        var isLate = false, lateness: Nanoseconds = 0
        if case .late(let by) = verdict { (isLate, lateness) = (true, by) }
        let isDropped = fallback == GSTMOVIE_FALLBACK_DROP
        if isDropped {
            statistics.countDropped(isLate: isLate)
        } else {
            copy(fallback == GSTMOVIE_FALLBACK_HOLD)
            statistics.count(
                fallback == GSTMOVIE_FALLBACK_HOLD ? .held : .passthrough, isLate: isLate,
                nanoseconds: monotonicNanoseconds() - arrived)
        }
        if isLate { reportLate(timing, lateness, sendsUpstream: isDropped) }
        return isDropped ? GST_FLOW_CUSTOM_SUCCESS : GST_FLOW_OK
    }

    private func reportLate(_ timing: GstMovieTiming, _ lateness: Nanoseconds, sendsUpstream: Bool) {
        let counts = statistics.counts
        let cost = Double(stream?.policy.costs.median(.edited) ?? 0)
        let proportion = Self.known(timing.duration).map { $0 > 0 ? cost / Double($0) : 1 } ?? 1
        withUnsafePointer(to: timing) { timing in
            gstmovie_post_qos(
                element, 1, timing, Int(lateness), proportion, UInt(counts.edited),
                UInt(counts.held + counts.passthrough + counts.dropped))
            if sendsUpstream { gstmovie_send_qos(element, timing, Int(lateness), proportion) }
        }
    }

    // MARK: Latency

    /// Upstream has answered a latency query; returns what this element adds.
    func addedLatency(isLive: Bool, upstream: UInt64) -> UInt64 {
        latency.withLock { latency in
            latency.isLive = isLive
            latency.upstream = Nanoseconds(clamping: upstream)
            return isLive ? UInt64(latency.own) : 0
        }
    }

    /// The property changed. Only the thread that moves frames may ask what edits cost; it does with the next frame.
    func latencyBudgetChanged() {
        let budget = Nanoseconds(settings.withLock { $0.latencyBudget }) * 1_000_000
        guard budget > 0 else { return }
        let hasChanged = latency.withLock { latency in
            defer { latency.own = budget }
            return latency.isLive && latency.own != budget
        }
        if hasChanged { gstmovie_post_latency(element) }
    }

    /// Asks upstream itself: a pipeline may play before anyone queries latencies.
    private func noteUpstream() {
        var isLive: gboolean = 0, least: GstClockTime = 0
        guard gstmovie_query_upstream(element, &isLive, &least) != 0 else { return }
        _ = addedLatency(isLive: isLive != 0, upstream: UInt64(least))
    }

    /// Sets the latency that is promised, from the property or from what edits cost.
    private func renewLatency(frame: Nanoseconds) {
        let budget = Nanoseconds(settings.withLock { $0.latencyBudget }) * 1_000_000
        let measured = budget > 0 ? nil : stream?.policy.renewedLatency(frame: frame)
        let hasChanged = latency.withLock { latency in
            let own = budget > 0 ? budget : measured ?? latency.own
            defer { latency.own = own }
            return latency.isLive && own != latency.own
        }
        if hasChanged { gstmovie_post_latency(element) }
    }

    // MARK: Messages

    private func warn(_ sentence: String) {
        sentence.withCString { gstmovie_post_warning(element, GSTMOVIE_BAD_SETTINGS, $0) }
    }

    private func postError(_ trouble: GstMovieTrouble, _ sentence: String) {
        sentence.withCString { gstmovie_post_error(element, trouble, $0) }
    }

    private static func known(_ time: GstClockTime) -> Nanoseconds? {
        time == .max ? nil : Nanoseconds(clamping: time)
    }

    /// Nanoseconds of a frame; 0 for streams without a rate.
    private static func duration(of info: GstVideoInfo) -> Nanoseconds {
        info.fps_n > 0 ? Nanoseconds(info.fps_d) * 1_000_000_000 / Nanoseconds(info.fps_n) : 0
    }
}
