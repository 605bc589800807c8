import Frames
import Scheduling
import Synchronization

/// The output clock of one stream: at each tick it publishes the newest finished picture, or what stands in for it.
///
/// It waits for nothing but the clock.
final class OutputLoop: @unchecked Sendable {
    private let output: LiveOutput
    private let edited: PictureExchange
    /// The camera's pictures; there are none unless the configuration asks for them.
    private let raw: PictureExchange?
    private let own: PictureExchange
    private let log: StreamLog
    private let attention: Attention
    /// Pictures that were captured before this moment are not shown: nobody watched then.
    private var shownFrom = Nanoseconds.min
    private let idleStep: Int
    private var pacer: Pacer
    private var selector: OutputSelector
    private let isStopping = Atomic<Bool>(false)

    /// A loop whose first tick is at `origin`. Without raw pictures the fallback `passthrough` is `hold`.
    init(
        _ output: LiveOutput, edited: PictureExchange, raw: PictureExchange?, fallback: Fallback, log: StreamLog,
        framerate: Framerate, origin: Nanoseconds, attention: Attention = Attention()
    ) {
        self.attention = attention
        idleStep = max(1, Int(framerate.framesPerSecond / 10))
        self.output = output
        self.edited = edited
        self.raw = raw
        self.log = log
        own = PictureExchange(size: edited.size)
        Placeholder.draw(into: own.target)
        let note = FinishedFrame(number: 0, captured: origin, rung: .placeholder, isInTime: true)
        _ = own.publish(.init(frame: note, finished: origin))
        _ = own.newest()
        pacer = Pacer(numerator: framerate.numerator, denominator: framerate.denominator, origin: origin)
        selector = OutputSelector(fallback: raw == nil && fallback == .passthrough ? .hold : fallback)
    }

    /// Ends the loop after its next tick.
    func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Ticks until stopped.
    func run() {
        repeat {
            MonotonicClock.sleep(until: pacer.due)
            tick(now: MonotonicClock.nanoseconds)
        } while !isStopping.load(ordering: .relaxed)
    }

    /// Publishes one tick. Allocates nothing once the sinks' buffers go round.
    func tick(now: Nanoseconds) {
        let tick = pacer.take(now: now)
        let isWatched = output.look(now: now)
        if attention.tell(isWatched) { note(isWatched: isWatched, now: now) }
        // While nobody watches, ten pictures a second are enough for a device to count as a camera that works.
        if !isWatched, tick.number % idleStep != 0 { return }
        let newest = shown(edited.newest())
        let rawNote = shown(raw?.newest())
        var input = log.update { $0.input }
        input.rawCaptured = rawNote == nil || input.lostSince != nil ? nil : rawNote?.frame.captured
        let publication = selector.select(newest: newest?.frame, input: input, now: now)
        if publication.isNew, let newest { pacer.noteFinish(at: newest.finished) }
        do {
            // The same picture of our own goes out for hours: it is converted once.
            let content = isWatched || publication.rung != .placeholder ? 0 : 1
            try output.publish(picture(for: publication.rung), content: content, timestamp: tick.timestamp)
        } catch {
            log.say(error.message)
        }
        let record = PublishedFrame(
            number: tick.number, timestamp: tick.timestamp, published: now, publication: publication)
        log.update { state in
            state.counters.note(publication, skipped: tick.skipped)
            state.published.add(record)
        }
    }

    /// A picture's note, unless nobody watches or it is from before somebody did.
    private func shown(_ note: PictureExchange.Note?) -> PictureExchange.Note? {
        guard let note, attention.isWatched, note.frame.captured >= shownFrom else { return nil }
        return note
    }

    private func note(isWatched: Bool, now: Nanoseconds) {
        if isWatched { shownFrom = now - Self.margin }
        log.say(
            isWatched
                ? "somebody watches: camera and model are awake"
                : "nobody watches: camera and model sleep until somebody does")
    }

    /// A frame may have been captured a little before it was known that somebody watches.
    private static let margin: Nanoseconds = .milliseconds(100)

    /// The picture of a rung. Without the configuration's consent there is no exchange with raw pictures to take one from.
    private func picture(for rung: Rung) -> FrameView {
        switch rung {
        case .edited, .reused, .propagated, .held: edited.view
        case .passthrough: raw?.view ?? own.view
        case .placeholder: own.view
        }
    }
}
