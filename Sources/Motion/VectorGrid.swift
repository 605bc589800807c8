import CKernels

/// Vectors of the patches of one level.
final class VectorGrid {
    /// As kernels take it.
    let vectors: Memory<movie_vectors>
    private let numbers: Memory<Float>

    /// For a plane of this size, in pixels.
    init(width: Int, height: Int) {
        let step = Int(MOVIE_PATCH_STEP)
        let columns = (width + step - 1) / step, rows = (height + step - 1) / step, count = columns * rows
        numbers = Memory(count: 3 * count)
        vectors = Memory(
            movie_vectors(
                u: numbers.base, v: numbers.base + count, error: numbers.base + 2 * count, columns: columns, rows: rows)
        )
    }

    var columns: Int { vectors.base.pointee.columns }
    var rows: Int { vectors.base.pointee.rows }

    func copy(from other: VectorGrid) { numbers.copy(from: other.numbers) }

    /// No motion, no error.
    func reset() { numbers.base.update(repeating: 0, count: numbers.count) }

    /// The part of the patches whose mean square error is above `limit`.
    func share(above limit: Float) -> Double {
        let count = columns * rows, errors = vectors.base.pointee.error
        var above = 0, index = 0
        while index < count {
            if errors[index] > limit { above += 1 }
            index += 1
        }
        return Double(above) / Double(count)
    }
}
