import Frames
import Scheduling

/// Keeps a source open: when it fails, ends or stalls, it is tried again and again, each time from the beginning.
///
/// A file is the exception: its end is the stream's. Used by one thread.
final class SourceKeeper {
    /// Where the source's frames wait.
    let mailbox = Mailbox()
    /// Whether a file has come to its end.
    private(set) var isFinished = false

    private let spec: SourceSpec
    private let framerate: Framerate?
    private let log: StreamLog
    private var size: FrameSize?
    private var period: Nanoseconds = 0
    private var due: Nanoseconds = 0
    private var source: LiveSource?
    private var retryAt: Nanoseconds = 0
    private var pause = SourceKeeper.pauses.lowerBound
    private var lastCheck: Nanoseconds = 0

    /// How long `next` waits.
    private static let slice: Nanoseconds = .milliseconds(50)
    /// Without a frame for so long, the source counts as lost; it may still come back by itself.
    private static let silence: Nanoseconds = .seconds(1)
    /// Without a frame for so long, it is opened anew.
    private static let stall: Nanoseconds = .seconds(10)
    /// Pauses between attempts: doubled from attempt to attempt.
    private static let pauses = Nanoseconds.milliseconds(500)...Nanoseconds.seconds(10)

    /// A keeper of the source `spec`, which is not open yet.
    init(_ spec: SourceSpec, size: FrameSize?, framerate: Framerate?, log: StreamLog) {
        self.spec = spec
        self.size = size
        self.framerate = framerate
        self.log = log
    }

    /// Opens the source; throws when that fails at once.
    func open() throws(MediaError) {
        source = try LiveSource(spec, size: size, framerate: framerate, into: mailbox)
    }

    /// Waits for the first frame. Throws the source's error, or that nothing came for 10 seconds; nil when stopped or at
    /// the end.
    func first(until stop: StopFlag) throws(MediaError) -> Mailbox.Item? {
        let deadline = MonotonicClock.nanoseconds + Self.stall
        while !stop.isStopped {
            let now = MonotonicClock.nanoseconds
            if let item = mailbox.take(until: now + Self.slice) { return item }
            try source?.check()
            if source?.isAtEnd == true { return nil }
            if now > deadline {
                throw MediaError("the source '\(spec)' gave no frame for \(Int(Self.stall.inSeconds)) seconds.")
            }
        }
        return nil
    }

    /// Where a program puts frames of its own, if the source is such a one.
    var inlet: FrameInlet? { source?.inlet }

    /// From now on `next` gives no more than one frame a `period` on average; the others are dropped.
    func limit(period: Nanoseconds) { self.period = period }

    /// From now on every frame has this size.
    func fix(_ size: FrameSize) throws(MediaError) {
        self.size = size
        try source?.fix(size)
    }

    /// The next frame, waited for a moment; nil when none came. Looks after the source meanwhile.
    func next() -> Mailbox.Item? {
        let now = MonotonicClock.nanoseconds
        if now - lastCheck > 4 * Self.slice {
            lastCheck = now
            lookAfter(now)
        }
        guard let item = mailbox.take(until: now + Self.slice) else {
            lookAfter(now)
            return nil
        }
        pause = Self.pauses.lowerBound
        noteLost(nil)
        guard isWanted(MonotonicClock.nanoseconds) else { return nil }
        return item
    }

    /// Whether a frame that comes now is not one too many for the output's rate.
    private func isWanted(_ now: Nanoseconds) -> Bool {
        guard now + period / 2 >= due else {
            log.update { $0.counters.dropped += 1 }
            return false
        }
        due = max(due + period, now)
        return true
    }

    /// Closes the source.
    func close() { source = nil }

    private func lookAfter(_ now: Nanoseconds) {
        guard let source else {
            if now >= retryAt { reopen() }
            return
        }
        do {
            try source.check()
        } catch {
            return lose(error.message, now)
        }
        let silent = now - mailbox.counts.last
        if source.isAtEnd { return end(now) }
        if silent > Self.stall { return lose("the source '\(spec)' gives no frames", now) }
        if silent > Self.silence { noteLost(now) }
    }

    private func end(_ now: Nanoseconds) {
        if case .file = spec {
            isFinished = true
        } else {
            lose("the source '\(spec)' has ended", now)
        }
    }

    private func lose(_ reason: String, _ now: Nanoseconds) {
        source = nil
        retryAt = now + pause
        pause = min(2 * pause, Self.pauses.upperBound)
        noteLost(now)
        let text = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
        log.say("\(text); trying again")
    }

    private func reopen() {
        do {
            source = try LiveSource(spec, size: size, framerate: framerate, into: mailbox)
        } catch {
            lose(error.message, MonotonicClock.nanoseconds)
        }
    }

    private func noteLost(_ now: Nanoseconds?) {
        log.update { state in
            state.input.lostSince = now.map { state.input.lostSince ?? $0 }
            if now != nil { state.input.rawCaptured = nil }
        }
    }
}
