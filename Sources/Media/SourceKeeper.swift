import Frames
import Scheduling

/// Keeps a source open: when it fails, ends or stalls, it is tried again and again, each time from the beginning.
///
/// A file is the exception: its end is the stream's. While nobody watches, a camera is closed; other sources go on, and
/// their frames are left. Used by one thread.
final class SourceKeeper {
    /// Where the source's frames wait.
    let mailbox = Mailbox()
    /// Whether a file has come to its end.
    private(set) var isFinished = false

    private let spec: SourceSpec
    private let framerate: Framerate?
    private let picture: SourcePicture
    private let log: StreamLog
    private let attention: Attention
    private var finder: CameraFinder
    private var fingerprint: UInt = 0
    private var isAsleep = false
    private var size: FrameSize?
    private var period: Nanoseconds = 0
    private var due: Nanoseconds = 0
    private var source: LiveSource?
    private var retryAt: Nanoseconds = 0
    private var pause = SourceKeeper.pauses.lowerBound
    private var lastCheck: Nanoseconds = 0
    private var opened: Nanoseconds = 0

    /// How long `next` waits.
    private static let slice: Nanoseconds = .milliseconds(50)
    /// How long it waits while nobody watches, and how often it then asks whether somebody does.
    private static let nap: Nanoseconds = .milliseconds(40)
    /// Without a frame for so long, the source counts as lost; it may still come back by itself.
    private static let silence: Nanoseconds = .seconds(1)
    /// Without a frame for so long, it is opened anew.
    private static let stall: Nanoseconds = .seconds(10)
    /// Pauses between attempts: doubled from attempt to attempt.
    private static let pauses = Nanoseconds.milliseconds(500)...Nanoseconds.seconds(10)

    /// A keeper of the source `spec`, which is not open yet. `attention` tells whether anybody watches.
    init(
        _ spec: SourceSpec, size: FrameSize?, framerate: Framerate?, picture: SourcePicture = SourcePicture(),
        log: StreamLog, attention: Attention = Attention()
    ) {
        self.picture = picture
        self.spec = spec
        self.size = size
        self.framerate = framerate
        self.log = log
        self.attention = attention
        if case .webcam(let camera) = spec {
            finder = CameraFinder(camera.device)
        } else {
            finder = CameraFinder("")
        }
    }

    /// Opens the source; throws when that fails at once.
    func open() throws(MediaError) {
        fingerprint = isCamera ? DeviceCatalog.fingerprint() : 0
        opened = MonotonicClock.nanoseconds
        source = try LiveSource(
            spec, size: size, framerate: framerate, picture: picture, into: mailbox, finder: &finder)
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
        guard attention.isWatched else { return rest(now) }
        if isAsleep { wake(now) }
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

    private var isCamera: Bool {
        if case .webcam = spec { return true }
        return false
    }

    /// Nobody watches. The test source stands for a camera without one.
    private func rest(_ now: Nanoseconds) -> Mailbox.Item? {
        if !isAsleep {
            isAsleep = true
            noteLost(nil)
            if case .test = spec { source = nil }
            if isCamera, source?.pause() != true { source = nil }
        }
        if source == nil || isCamera {
            MonotonicClock.sleep(until: now + Self.nap)
        } else if let _ = mailbox.take(until: now + Self.nap) {
            log.update { $0.counters.dropped += 1 }
        } else {
            lookAfter(now)
        }
        return nil
    }

    private func wake(_ now: Nanoseconds) {
        isAsleep = false
        retryAt = now
        pause = Self.pauses.lowerBound
        opened = now
        do {
            if isCamera { try source?.resume(&finder) }
        } catch {
            source = nil
        }
        if source == nil { reopen() }
    }

    private func lookAfter(_ now: Nanoseconds) {
        guard let source else {
            let isNews = devicesChanged()
            if isNews { pause = Self.pauses.lowerBound }
            if isNews || now >= retryAt { reopen() }
            return
        }
        do {
            try source.check()
        } catch {
            return lose(error.message, now)
        }
        let silent = now - max(mailbox.counts.last, opened)
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

    /// Whether devices came or went since the last attempt: a camera that is plugged in is not to wait for the next one.
    private func devicesChanged() -> Bool { isCamera && DeviceCatalog.fingerprint() != fingerprint }

    private func reopen() {
        do {
            try open()
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
