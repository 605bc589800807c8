import Compute
import Glibc
import Networks
import Synchronization

/// A model and a pool of threads, shared by everyone in the process who asks for the same.
///
/// Weights are in memory once, and streams take turns on one set of threads. Both go with their last user.
public final class SharedEngine: Sendable {
    /// The model's networks.
    public let model: EditingModel
    /// The threads.
    public var pool: WorkerPool { threads.pool }
    private let threads: SharedPool

    private static let models = Mutex<[String: WeakReference<EditingModel>]>([:])
    private static let pools = Mutex<[Int: WeakReference<SharedPool>]>([:])

    /// The model in the folder `path` and a pool of `threads` threads (nil: one for each processor), both taken from
    /// others where they have them. Throws for a folder that is no editing model.
    public init(model path: String, threads: Int?) throws {
        let folder = try ModelFolder(path: path)
        model = try Self.models.withLock { models in
            try Self.shared(&models, Self.realPath(path)) { try EditingModel(folder) }
        }
        self.threads = Self.pools.withLock { pools in
            Self.shared(&pools, threads ?? 0) { SharedPool(WorkerPool(threads: threads)) }
        }
    }

    private static func shared<Key: Hashable, Object: AnyObject, Failure: Error>(
        _ known: inout [Key: WeakReference<Object>], _ key: Key, make: () throws(Failure) -> Object
    ) throws(Failure) -> Object {
        if let object = known[key]?.object { return object }
        known = known.filter { $0.value.object != nil }
        let object = try make()
        known[key] = WeakReference(object: object)
        return object
    }

    /// The path without symbolic links, so that two names of a folder are one model.
    private static func realPath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// A pool that ends its threads when its last user goes.
private final class SharedPool: Sendable {
    let pool: WorkerPool
    init(_ pool: WorkerPool) { self.pool = pool }
    deinit { pool.shutdown() }
}

private struct WeakReference<Object: AnyObject & Sendable>: Sendable {
    weak let object: Object?
}
