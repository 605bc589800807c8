import CKernels
import Frames

/// Where each pixel of the newest frame was in another one.
///
/// Every frame has vectors of patches down to half the edit size (`grids[base]`); those of full size and of every pixel
/// are searched only for pictures that are moved along them (`isFine`).
final class MotionField {
    /// Vectors of every level, the finest first.
    let grids: [VectorGrid]
    /// The level that every frame is searched to.
    let base: Int
    /// A vector for every pixel in 1/32 pixel, [height, width, 2]; true while `isFine`.
    let dense: Memory<Int16>
    /// Whether the finest vectors belong to the newest frame.
    var isFine = false
    /// [rows, columns] of every grid: patches of 0 rest and are not searched. Nil: all are.
    var wanted: [Memory<UInt8>]?

    /// For frames of `size`; one that is not dense has vectors of patches alone.
    init(size: FrameSize, isDense: Bool = true) {
        let levels = Pyramid.levels(of: size)
        grids = (0..<levels).map { VectorGrid(width: size.width >> $0, height: size.height >> $0) }
        base = min(1, levels - 1)
        dense = Memory(count: isDense ? size.width * size.height * 2 : 0)
    }

    var baseGrid: VectorGrid { grids[base] }

    /// The other frame is the newest one.
    func reset() {
        baseGrid.reset()
        dense.base.update(repeating: 0, count: dense.count)
        isFine = true
    }
}
