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
        numbers = Memory(count: 4 * count)
        vectors = Memory(
            movie_vectors(
                u: numbers.base, v: numbers.base + count, error: numbers.base + 2 * count,
                texture: numbers.base + 3 * count, columns: columns, rows: rows))
    }

    var columns: Int { vectors.base.pointee.columns }
    var rows: Int { vectors.base.pointee.rows }

    func copy(from other: VectorGrid) { numbers.copy(from: other.numbers) }

    /// No motion, no error.
    func reset() { numbers.base.update(repeating: 0, count: numbers.count) }

    /// How much of the picture's texture the motion does not explain: about 0 where all patches are found again, about 1
    /// where none is. `noise`: variance of the camera's noise on this level. A flat picture counts as explained.
    func unexplained(noise: Float) -> Float {
        let count = columns * rows, errors = vectors.base.pointee.error, textures = vectors.base.pointee.texture
        var left: Float = 0, all = Float(count) * Self.flat, index = 0
        while index < count {
            left += max(0, errors[index] - 3 * noise)
            all += textures[index]
            index += 1
        }
        return left / all
    }

    /// Texture that every patch is taken to have besides its own, levels squared.
    private static let flat: Float = 30
}
