import Editing
import Frames
import Glibc
import Synchronization

/// Keeps the session that edits, and exchanges it between two frames when the prompt changes.
///
/// All methods belong to the thread that moves frames; only `Exchange` is shared with the thread that builds.
final class SessionKeeper {
    private(set) var session: EditSession
    private let engine: SharedEngine
    private var settings: EditSettings
    private var size: FrameSize?
    private let exchange = Exchange()

    /// Encodes the prompt. Throws for settings that the model does not take.
    init(engine: SharedEngine, settings: EditSettings) throws {
        self.engine = engine
        self.settings = settings
        session = try EditSession(model: engine.model, settings: settings, pool: engine.pool)
    }

    deinit { exchange.stop() }

    /// Plans for frames of this size.
    func prepare(size: FrameSize) throws {
        self.size = size
        try session.prepare(size: size)
    }

    /// Asks for other settings. Guidance and stability change at once. A prompt, seed or anchor changes at once too where frames may wait, and
    /// otherwise when a session with it has been built in the background. Returns sentences for people.
    func change(to wanted: EditSettings, mayWait: Bool) throws -> [String] {
        guard wanted != settings else { return [] }
        let isSameEdit =
            wanted.prompt == settings.prompt && wanted.seed == settings.seed && wanted.anchor == settings.anchor
        settings = wanted
        if isSameEdit, !exchange.isBusy {
            try session.setGuidance(wanted.guidanceScale, image: wanted.imageGuidanceScale)
            session.setStability(wanted.stability)
        } else if mayWait {
            exchange.stop()
            session = try Self.build(engine, wanted, size)
            return session.warnings
        } else {
            exchange.ask { [engine, size] in BuiltSession(try Self.build(engine, wanted, size)) }
        }
        return []
    }

    /// Takes the session that was asked for, if it is ready. Returns sentences for people.
    func takeChange() throws -> [String] {
        guard let built = try exchange.take(giving: session) else { return [] }
        session = built
        if let size { try session.prepare(size: size) }  // the size may have changed meanwhile
        try session.setGuidance(settings.guidanceScale, image: settings.imageGuidanceScale)
        session.setStability(settings.stability)
        return session.warnings
    }

    private static func build(_ engine: SharedEngine, _ settings: EditSettings, _ size: FrameSize?) throws
        -> EditSession
    {
        let session = try EditSession(model: engine.model, settings: settings, pool: engine.pool)
        if let size { try session.prepare(size: size) }
        return session
    }
}

/// A session on its way from one thread to another.
private struct BuiltSession: @unchecked Sendable {
    let session: EditSession
    init(_ session: EditSession) { self.session = session }
}

/// Hands sessions from a thread that builds them to the one that uses them, and old ones back to be freed.
private final class Exchange: Sendable {
    private struct State: Sendable {
        var wish: (@Sendable () throws -> BuiltSession)?
        var built: Result<BuiltSession, any Error>?
        var old: BuiltSession?
        var isBuilding = false
        var isStopping = false
    }

    private let state = Mutex(State())
    /// Set while there is something to take, so that a frame need not ask for the lock.
    private let isReady = Atomic<Bool>(false)

    /// Whether a session is being built or waits to be taken.
    var isBusy: Bool { state.withLock { $0.isBuilding } }

    /// Builds in the background; the newest wish wins.
    func ask(_ wish: @escaping @Sendable () throws -> BuiltSession) {
        let starts = state.withLock { state in
            state.wish = wish
            defer { state.isBuilding = true }
            return !state.isBuilding
        }
        if starts, !startThread("movie-prompt", { [self] in work() }) {
            state.withLock { $0.isBuilding = false }
            work()
        }
    }

    /// The finished session, once; `old` goes to the background to be freed.
    func take(giving old: EditSession) throws -> EditSession? {
        guard isReady.load(ordering: .acquiring) else { return nil }
        let old = BuiltSession(old)
        let built = state.withLock { state -> Result<BuiltSession, any Error>? in
            defer { state.built = nil }
            if case .success = state.built { state.old = old }
            return state.built
        }
        isReady.store(false, ordering: .releasing)
        return try built?.get().session
    }

    /// Gives up; returns when the thread has ended.
    func stop() {
        state.withLock { state in
            state.wish = nil
            state.built = nil
            state.isStopping = true
        }
        while state.withLock({ $0.isBuilding }) { usleep(1000) }
        state.withLock { state in
            state.built = nil
            state.old = nil
            state.isStopping = false
        }
        isReady.store(false, ordering: .releasing)
    }

    private func work() {
        while let wish = nextWish() {
            let result = Result { try wish() }
            let isWanted = state.withLock { state in
                guard !state.isStopping, state.wish == nil else { return false }
                state.built = result
                return true
            }
            guard isWanted else { continue }
            isReady.store(true, ordering: .releasing)
            waitUntilTaken()
        }
    }

    private func nextWish() -> (@Sendable () throws -> BuiltSession)? {
        state.withLock { state in
            defer { state.wish = nil }
            if state.wish == nil { state.isBuilding = false }
            return state.wish
        }
    }

    /// Until the session was taken or another one is wanted; frees the old one here, where no frame waits.
    private func waitUntilTaken() {
        while state.withLock({ $0.built != nil && $0.wish == nil && !$0.isStopping }) { usleep(2000) }
        let old = state.withLock { state in
            defer { state.old = nil }
            return state.old
        }
        withExtendedLifetime(old) {}
    }
}
