/// A picture's brightness, for measuring.
struct Luma {
    let width: Int
    let height: Int
    var values: [UInt8]

    /// A black picture.
    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        values = Array(repeating: 0, count: width * height)
    }

    /// From packed RGB.
    init(rgb: UnsafePointer<UInt8>, width: Int, height: Int) {
        self.width = width
        self.height = height
        values = [UInt8](unsafeUninitializedCapacity: width * height) { buffer, count in
            for index in 0..<width * height {
                let pixel = rgb + 3 &* index
                buffer[index] = UInt8((77 &* Int(pixel[0]) &+ 150 &* Int(pixel[1]) &+ 29 &* Int(pixel[2]) &+ 128) >> 8)
            }
            count = width * height
        }
    }
}

/// Where the blocks of one picture were in the picture before it: 8 x 8 pixels each, found by the smallest sum of absolute
/// differences of the 16 x 16 pixels around them, up to 12 pixels away. Standing still is preferred where both are alike, so
/// that noise does not pass for movement.
struct BlockMotion {
    static let block = 8
    static let reach = 12
    /// What a moved block must be better by, in levels a pixel.
    static let preference = 1.0

    private let columns: Int
    private let rows: Int
    private var vectors: [(x: Int, y: Int)] = []

    init(from last: Luma, to next: Luma) {
        columns = (next.width + Self.block - 1) / Self.block
        rows = (next.height + Self.block - 1) / Self.block
        vectors.reserveCapacity(columns * rows)
        last.values.withUnsafeBufferPointer { before in
            next.values.withUnsafeBufferPointer { after in
                for row in 0..<rows {
                    for column in 0..<columns {
                        vectors.append(
                            Self.search(before, after, next.width, next.height, column * Self.block, row * Self.block))
                    }
                }
            }
        }
    }

    /// Full search on every second pixel.
    private static func search(
        _ before: UnsafeBufferPointer<UInt8>, _ after: UnsafeBufferPointer<UInt8>, _ width: Int, _ height: Int,
        _ x: Int,
        _ y: Int
    ) -> (x: Int, y: Int) {
        let left = max(0, x - 4), right = min(width, x + 12), top = max(0, y - 4), bottom = min(height, y + 12)
        let pixels = ((right - left + 1) / 2) * ((bottom - top + 1) / 2)
        var best = (x: 0, y: 0), least = Int.max
        func difference(_ dx: Int, _ dy: Int) -> Int {
            var sum = 0, row = top
            while row < bottom {
                let own = row &* width, other = (row &+ dy) &* width &+ dx
                var column = left
                while column < right {
                    sum &+= abs(Int(after[own &+ column]) &- Int(before[other &+ column]))
                    column &+= 2
                }
                if sum >= least { return sum }
                row &+= 2
            }
            return sum
        }
        least = difference(0, 0) - Int(Double(pixels) * preference)
        for dy in max(-reach, -top)...min(reach, height - bottom) {
            for dx in max(-reach, -left)...min(reach, width - right) where (dx, dy) != (0, 0) {
                let sum = difference(dx, dy)
                if sum < least { (least, best) = (sum, (dx, dy)) }
            }
        }
        return best
    }

    /// The picture before, moved to where its blocks are now.
    func warp(_ last: Luma) -> Luma {
        var result = last
        for y in 0..<last.height {
            for x in 0..<last.width {
                let vector = vectors[y / Self.block * columns + x / Self.block]
                let row = min(max(0, y + vector.y), last.height - 1), column = min(max(0, x + vector.x), last.width - 1)
                result.values[y &* last.width &+ x] = last.values[row &* last.width &+ column]
            }
        }
        return result
    }
}
