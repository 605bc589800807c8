import CLinux
import Glibc

/// A thread that only moves or computes frames: a pthread with a name.
final class FrameThread: @unchecked Sendable {
    private let name: String
    private let isPunctual: Bool
    private let body: () -> Void
    private var thread = pthread_t()
    private var isRunning = false

    /// A thread that will run `body`. A punctual one asks the system for a place before ordinary threads; without the
    /// right to it, it stays an ordinary one. `name` has at most 15 bytes.
    init(name: String, isPunctual: Bool = false, body: @escaping () -> Void) {
        self.name = name
        self.isPunctual = isPunctual
        self.body = body
    }

    /// Starts it. Throws when the system has no thread left. `join` must follow.
    func start() throws(MediaError) {
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
            throw MediaError("no thread for \(name): \(systemReason(status)).")
        }
        isRunning = true
    }

    /// Waits for its end.
    func join() {
        guard isRunning else { return }
        pthread_join(thread, nil)
        isRunning = false
    }
}
