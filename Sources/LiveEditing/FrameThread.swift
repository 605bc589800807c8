import CLinux
import Glibc

/// The system has no thread left.
public struct ThreadError: Error, CustomStringConvertible {
    /// What was asked for and why it failed, in a sentence.
    public let description: String
}

/// A thread that only moves or computes frames: a pthread with a name.
public final class FrameThread: @unchecked Sendable {
    private let name: String
    private let isPunctual: Bool
    private let body: () -> Void
    private var thread = pthread_t()
    private var isRunning = false

    /// A thread that will run `body`. A punctual one asks the system for a place before ordinary threads; without the
    /// right to it, it stays an ordinary one. `name` has at most 15 bytes.
    public init(name: String, isPunctual: Bool = false, body: @escaping () -> Void) {
        self.name = name
        self.isPunctual = isPunctual
        self.body = body
    }

    /// Starts it. Throws when the system has no thread left. `join` must follow.
    public func start() throws(ThreadError) {
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let own = Unmanaged<FrameThread>.fromOpaque(argument).takeRetainedValue()
                movie_thread_set_name(own.name)
                if own.isPunctual { _ = movie_thread_set_punctual() }
                own.body()
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw ThreadError(description: "no thread for \(name): \(String(cString: strerror(status))).")
        }
        isRunning = true
    }

    /// Waits for its end.
    public func join() {
        guard isRunning else { return }
        pthread_join(thread, nil)
        isRunning = false
    }
}
