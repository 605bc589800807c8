/// Two rows of packed RGB for each worker: the way of frames of any format into the networks and back.
final class RowScratch {
    /// Bytes of a row.
    let stride: Int
    private let bytes: UnsafeMutablePointer<UInt8>

    /// Rows of `width` pixels for `workers` threads.
    init(width: Int, workers: Int) {
        stride = width * 3
        bytes = .allocate(capacity: 2 * stride * workers)
        bytes.initialize(repeating: 0, count: 2 * stride * workers)
    }

    deinit { bytes.deallocate() }

    /// The rows of a worker.
    func rows(of worker: Int) -> UnsafeMutablePointer<UInt8> { bytes + 2 * stride * worker }
}
