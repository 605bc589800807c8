import Glibc
import LiveEditing
import Scheduling

/// Runs several streams until told to stop, or until all their sources have ended.
public final class LiveSession {
    private let streams: [LiveStream]
    private let report: ([StreamReport]) -> Void
    private let message: (String, String) -> Void
    private let published: (LiveStream, [PublishedFrame]) -> Void
    private let commands: LiveCommands

    /// A session of `streams`.
    ///
    /// `report` is told the figures once a second, `message` what a person should know (the stream's name, a sentence),
    /// `published` every published frame soon afterwards; all on the thread that runs the session.
    public init(
        _ streams: [LiveStream], report: @escaping ([StreamReport]) -> Void = { _ in },
        message: @escaping (String, String) -> Void = { _, _ in },
        published: @escaping (LiveStream, [PublishedFrame]) -> Void = { _, _ in },
        commands: LiveCommands = LiveCommands()
    ) {
        self.commands = commands
        self.streams = streams
        self.report = report
        self.message = message
        self.published = published
    }

    /// Starts all streams and runs on the calling thread until `stop` is set or all have ended.
    ///
    /// Throws what a stream's `start` throws, and a `MediaError` when a stream's last sink fails; all streams are then
    /// ended, files whole. A lost source ends nothing.
    public func run(until stop: StopFlag) throws -> [StreamSummary] {
        let begin = MonotonicClock.nanoseconds
        do {
            try start(until: stop)
            try supervise(since: begin, until: stop)
        } catch {
            for stream in streams { try? stream.finish() }
            throw error
        }
        return try finish(since: begin)
    }

    /// Starts all streams side by side: one whose camera is slow keeps none waiting. Throws the first one's error.
    private func start(until stop: StopFlag) throws {
        let halt = StopFlag(following: stop)
        let starts = streams.map { StreamStart($0, until: halt) }
        let threads = starts.map { start in FrameThread(name: "movie-start") { start.run() } }
        defer { for thread in threads { thread.join() } }
        for thread in threads { try thread.begin() }
        for thread in threads { thread.join() }
        if let error = starts.compactMap(\.error).first { throw error }
    }

    private func supervise(since begin: Nanoseconds, until stop: StopFlag) throws(MediaError) {
        var windows = streams.map { _ in ReportWindow(now: MonotonicClock.nanoseconds) }
        var due = MonotonicClock.nanoseconds + .seconds(1)
        while !stop.isStopped, streams.contains(where: { !$0.hasEnded }) {
            usleep(50_000)
            for command in commands.take() { streams.forEach { $0.handle(command) } }
            for (index, stream) in streams.enumerated() {
                try stream.checkSinks()
                let frames = stream.drainPublished()
                windows[index].add(frames, stream.drainEdits())
                if !frames.isEmpty { published(stream, frames) }
                for text in stream.drainMessages() { message(stream.settings.name, text) }
            }
            let now = MonotonicClock.nanoseconds
            guard now >= due else { continue }
            due += .seconds(1)
            report(
                streams.enumerated().map { index, stream in
                    windows[index].report(
                        name: stream.settings.name, counters: stream.counters, rung: stream.rung, lost: stream.lost,
                        since: begin, now: now)
                })
        }
    }

    private func finish(since begin: Nanoseconds) throws(MediaError) -> [StreamSummary] {
        var failure: MediaError?
        for stream in streams {
            do throws(MediaError) {
                try stream.finish()
            } catch {
                failure = failure ?? error
            }
            let frames = stream.drainPublished()
            if !frames.isEmpty { published(stream, frames) }
        }
        if let failure { throw failure }
        return streams.map { stream in
            StreamSummary(
                name: stream.settings.name, counters: stream.counters, lost: stream.lost,
                elapsedSeconds: (MonotonicClock.nanoseconds - begin).inSeconds, size: stream.size)
        }
    }
}

/// The start of one stream on a thread of its own. Where one fails, the others need not wait for their sources.
private final class StreamStart: @unchecked Sendable {
    private let stream: LiveStream
    private let halt: StopFlag
    /// What went wrong; to be read once the thread has ended.
    private(set) var error: (any Error)?

    init(_ stream: LiveStream, until halt: StopFlag) {
        self.stream = stream
        self.halt = halt
    }

    func run() {
        do {
            try stream.start(until: halt)
        } catch {
            self.error = error
            halt.stop()
        }
    }
}
