import CKernels

/// Where a patch of the newest frame was in the frame before.
public struct MotionVector: Equatable, Sendable {
    /// Pixels of edit size to the right: pixel (x, y) was at (x + dx, y + dy).
    public var dx: Float
    /// Pixels of edit size downwards.
    public var dy: Float
    /// Mean square of what the motion leaves over, 8-bit levels of luma squared, at half the edit size.
    public var error: Float
}

/// Motion between the last two frames, a vector every `spacing` pixels of the edit size.
///
/// It shows what the last `advance` found; the next one changes it.
public final class MotionGrid {
    /// Vectors of a row.
    public var columns: Int { field.baseGrid.columns }
    /// Rows of vectors.
    public var rows: Int { field.baseGrid.rows }
    /// Pixels of the edit size from one vector to the next; the first stands for the pixels around (`spacing`, `spacing`).
    public let spacing: Int
    private let field: MotionField

    init(_ field: MotionField) {
        self.field = field
        spacing = Int(MOVIE_PATCH_STEP) << field.base
    }

    /// The vector of a place: column 0..<`columns`, row 0..<`rows`; others are clamped.
    public subscript(column: Int, row: Int) -> MotionVector {
        let vectors = field.baseGrid.vectors.base.pointee, scale = Float(1 << field.base)
        let index = max(0, min(rows - 1, row)) * columns + max(0, min(columns - 1, column))
        return MotionVector(
            dx: vectors.u[index] * scale, dy: vectors.v[index] * scale, error: vectors.error[index])
    }
}
