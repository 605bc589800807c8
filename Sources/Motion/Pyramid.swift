import CKernels
import Frames

/// Luma of one picture at full, half, quarter ... size, each plane with a border of repeated pixels.
final class Pyramid {
    /// Planes, the largest first.
    let planes: Memory<movie_plane>
    private let bytes: Memory<UInt8>

    /// Levels of the pyramid of a picture: the smallest is at least 16 pixels high and wide, if the picture is.
    static func levels(of size: FrameSize) -> Int {
        var levels = 1
        while levels < 6, min(size.width, size.height) >> levels >= 16 { levels += 1 }
        return levels
    }

    init(size: FrameSize) {
        let levels = Self.levels(of: size), border = Int(MOVIE_BORDER)
        planes = Memory(count: levels)
        var offsets: [Int] = [], total = 0
        for level in 0..<levels {
            let width = size.width >> level, height = size.height >> level
            let stride = (width + 2 * border + 63) / 64 * 64
            offsets.append(total + border * stride + border)
            total += stride * (height + 2 * border)
            planes.base[level].width = width
            planes.base[level].height = height
            planes.base[level].stride = stride
        }
        bytes = Memory(count: total)
        for level in 0..<levels { planes.base[level].pixels = bytes.base + offsets[level] }
    }

    var levels: Int { planes.count }

    /// Copies the pixels of another of the same size.
    func copy(from other: Pyramid) { bytes.copy(from: other.bytes) }

    /// Fills the rows first..<last of the picture and what lies under them on the other levels, from packed RGB. `first`
    /// is a multiple of `rowStep`, as `last` is unless it is the height.
    func fill(from rgb: UnsafePointer<UInt8>, stride: Int, first: Int, last: Int) {
        movie_motion_luma(planes.base, rgb, stride, first, last)
        var level = 1
        while level < levels {
            let plane = planes.base + level
            let end = last == planes.base.pointee.height ? plane.pointee.height : last >> level
            movie_motion_halve(plane, plane - 1, min(first >> level, end), end)
            level += 1
        }
    }

    /// Rows that belong together on all levels.
    static let rowStep = 32

    /// Fills the borders above and below, once all rows are there.
    func finish() {
        var level = 0
        while level < levels {
            movie_motion_border(planes.base + level)
            level += 1
        }
    }
}
