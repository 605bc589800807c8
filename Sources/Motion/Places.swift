import CKernels

/// Where the pixels of one axis lie among coarser ones.
final class Places {
    /// As kernels take it.
    let places: movie_places
    private let left: Memory<Int32>
    private let right: Memory<Int32>
    private let part: Memory<Float>

    /// `count` pixels, whose position among `limit` coarser ones is `position`; clamped to them.
    init(count: Int, among limit: Int, position: (Int) -> Double) {
        left = Memory(count: count)
        right = Memory(count: count)
        part = Memory(count: count)
        for index in 0..<count {
            let place = min(Double(limit - 1), max(0, position(index)))
            let whole = min(limit - 1, Int(place))
            left.base[index] = Int32(whole)
            right.base[index] = Int32(min(limit - 1, whole + 1))
            part.base[index] = Float(place - Double(whole))
        }
        places = movie_places(left: left.base, right: right.base, part: part.base)
    }

    /// `count` pixels over the same length as `limit` coarser ones.
    convenience init(count: Int, over limit: Int) {
        let scale = Double(limit) / Double(count)
        self.init(count: count, among: limit) { (Double($0) + 0.5) * scale - 0.5 }
    }

    /// `count` pixels over `pixels` pixels of edit size, among the cells of those.
    convenience init(count: Int, over pixels: Int, inCells cells: Int) {
        let scale = Double(pixels) / Double(count) / Double(MOVIE_CELL)
        self.init(count: count, among: cells) { (Double($0) + 0.5) * scale - 0.5 }
    }
}
