import Synchronization

/// Whether anybody watches a stream: what its outputs tell its source.
final class Attention: Sendable {
    private let watched = Atomic<Bool>(true)

    /// Somebody watches, until the contrary is told.
    init() {}

    /// Whether the source and the model are wanted.
    var isWatched: Bool { watched.load(ordering: .relaxed) }

    /// Tells it. Returns whether that is news.
    func tell(_ isWatched: Bool) -> Bool { watched.exchange(isWatched, ordering: .relaxed) != isWatched }
}
