/// Tells cuts and drift from what moves in a picture: compares the means of 16 x 12 fields of brightness.
///
/// A field holds hundreds of pixels, so a camera's noise is gone from it; what most fields have in common, up to some levels,
/// is the camera's exposure and does not count. It is their median: something dark before a third of the picture is no
/// exposure of the rest, which would then seem to have changed as well.
final class SceneMeter {
    static let columns = 16
    static let rows = 12
    /// Mean difference, in levels of 255, from which on a picture is another one.
    static let drift: Float = 22
    /// A cut differs from the last frame by so much, and by several times what frames have differed by lately.
    static let cut: Float = 14
    static let cutFactor: Float = 4
    /// A cut changes so much of the picture; what moves in front of it changes less. A field counts from so many levels.
    static let cutShare: Float = 0.4
    static let changed: Float = 8
    /// Levels by which exposure may change everything.
    static let exposure: Float = 20

    private static let count = columns * rows
    private let histogram: UnsafeMutablePointer<Int>  // of differences in whole levels, within the exposure's bounds
    private static let bins = 2 * Int(exposure) + 1
    private let fields: UnsafeMutablePointer<Float>  // of this frame, the last and the anchor
    private var usual: Float = 0
    private var hasLast = false

    /// The difference between the frame and the one before it, and between it and the anchor, in levels.
    private(set) var fromLast: Float = 0
    private(set) var fromAnchor: Float = 0

    init() {
        fields = .allocate(capacity: 3 * Self.count)
        fields.initialize(repeating: 0, count: 3 * Self.count)
        histogram = .allocate(capacity: Self.bins)
        histogram.initialize(repeating: 0, count: Self.bins)
    }

    deinit {
        fields.deallocate()
        histogram.deallocate()
    }

    /// Compares the frame whose cells these are.
    func measure(_ cells: CellGrid) -> AnchorPolicy.Scene {
        let last = fields + Self.count
        last.update(from: fields, count: Self.count)
        cells.means(into: fields, columns: Self.columns, rows: Self.rows)
        defer { hasLast = true }
        guard hasLast else { return .same }
        let share: Float
        (fromLast, share) = difference(fields, last)
        fromAnchor = difference(fields, fields + 2 * Self.count).mean
        let isCut = fromLast > max(Self.cut, Self.cutFactor * usual) && share > Self.cutShare
        usual = isCut ? 0 : usual + (fromLast - usual) * 0.1
        if isCut { return .cut }
        return fromAnchor > Self.drift ? .drifted : .same
    }

    /// The frame measured last is the anchor.
    func keepAnchor() { (fields + 2 * Self.count).update(from: fields, count: Self.count) }

    /// The mean of differences, in levels, and the share of fields that differ.
    private func difference(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> (mean: Float, share: Float) {
        let common = exposureChange(a, b)
        var total: Float = 0, many: Float = 0
        for index in 0..<Self.count {
            let difference = abs(a[index] - b[index] - common)
            total += difference
            if difference > Self.changed { many += 1 }
        }
        return (total / Float(Self.count), many / Float(Self.count))
    }

    /// The median of the differences, to a level, within the exposure's bounds.
    private func exposureChange(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
        histogram.update(repeating: 0, count: Self.bins)
        for index in 0..<Self.count {
            let difference = max(-Self.exposure, min(Self.exposure, a[index] - b[index]))
            histogram[Int((difference + Self.exposure).rounded())] += 1
        }
        var level = 0, below = histogram[0]
        while 2 * below < Self.count {
            level += 1
            below += histogram[level]
        }
        return Float(level) - Self.exposure
    }
}
