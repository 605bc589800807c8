import Frames
import Glibc
import Scheduling

/// Edits one frame at a time on a thread of its own, while the frames that follow are carried.
///
/// One thread begins edits and takes them; the editor is this object's in between.
final class BackgroundEdit: @unchecked Sendable {
    private enum Step { case idle, wanted, finished }

    /// A finished edit.
    struct Outcome {
        /// When its frame was captured.
        let captured: Nanoseconds
        /// When it was finished.
        let finished: Nanoseconds
        /// What it was computed for, without waiting for others.
        let cost: Nanoseconds
        /// What went wrong, if anything did.
        let failure: (any Error)?
    }

    private let source: Picture
    private let result: Picture
    private let queue: (any ComputeQueue)?
    private let clock: any TimeSource
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var thread: FrameThread?
    // Guarded by the lock.
    private var step = Step.idle
    private var isStopping = false
    // The beginning thread's while idle or finished, otherwise the background's.
    private var editor: (any FrameEditor)?
    private var deadline: Nanoseconds = 0
    private var captured: Nanoseconds = 0
    private var outcome: Outcome?

    /// For frames of `size`. Throws when there is no thread left; `stop` must follow.
    init(size: FrameSize, queue: (any ComputeQueue)?, clock: any TimeSource) throws(ThreadError) {
        source = Picture(size: size)
        result = Picture(size: size)
        self.queue = queue
        self.clock = clock
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
        let thread = FrameThread(name: "movie-keyframe") { [unowned self] in work() }
        try thread.start()
        self.thread = thread
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(changed)
        lock.deallocate()
        changed.deallocate()
    }

    /// The last finished edit.
    var edited: FrameView { result.view.readable }

    /// Begins an edit of `frame`, which is copied; only after `take` has given the one before, or before the first.
    func begin(_ editor: any FrameEditor, _ frame: FrameView, captured: Nanoseconds, deadline: Nanoseconds) {
        source.view.copy(from: frame)
        self.editor = editor
        self.captured = captured
        self.deadline = deadline
        pthread_mutex_lock(lock)
        step = .wanted
        pthread_cond_signal(changed)
        pthread_mutex_unlock(lock)
    }

    /// The edit that began, once it is finished; nil before.
    func take() -> Outcome? {
        pthread_mutex_lock(lock)
        let isFinished = step == .finished
        if isFinished { step = .idle }
        pthread_mutex_unlock(lock)
        return isFinished ? outcome : nil
    }

    /// Ends the thread, once the edit under way is done.
    func stop() {
        pthread_mutex_lock(lock)
        isStopping = true
        pthread_cond_signal(changed)
        pthread_mutex_unlock(lock)
        thread?.join()
        thread = nil
    }

    private func work() {
        while waitForWork() {
            outcome = edit()
            pthread_mutex_lock(lock)
            step = .finished
            pthread_mutex_unlock(lock)
        }
    }

    /// False when the thread is to end.
    private func waitForWork() -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while step != .wanted, !isStopping { pthread_cond_wait(changed, lock) }
        return !isStopping
    }

    private func edit() -> Outcome {
        queue?.begin(deadline: deadline)
        let start = clock.now
        var failure: (any Error)?
        do {
            try editor?.edit(source.view.readable, into: result.view)
        } catch {
            failure = error
        }
        let finished = clock.now
        let stoodBack = queue?.end() ?? 0
        return Outcome(captured: captured, finished: finished, cost: finished - start - stoodBack, failure: failure)
    }
}
