import Tensors

/// How numbers are written as 8-bit levels: number = scale * (level - zero).
public struct Quantizer: Equatable, Hashable, Sendable {
    /// What one level is worth; positive and finite.
    public let scale: Float
    /// The level that stands for zero, 0...255. A network input between whole levels may have a fraction.
    public let zero: Float

    /// Levels of `scale` around the level `zero`.
    public init(scale: Float, zero: Float) {
        self.scale = scale
        self.zero = zero
    }

    /// Levels that cover `range`, widened to hold zero, which is hit exactly: zero padding must not drift.
    public init(covering range: ClosedRange<Float>) {
        let low = min(range.lowerBound, 0), high = max(range.upperBound, 0)
        let width = high - low
        scale = width > 0 && width.isFinite ? max(width / 255, .leastNormalMagnitude * 1e6) : 1
        zero = min(255, max(0, (-low / scale).rounded()))
    }

    /// A pixel's 8 bits stand for 0...1.
    static let unitPixels = Quantizer(scale: 1 / 255, zero: 0)
    /// A pixel's 8 bits stand for -1...1.
    static let signedPixels = Quantizer(scale: 2 / 255, zero: 127.5)
}

/// 8-bit levels in memory: [batch, border + height + border, border + width + border, stride].
///
/// The border holds the zero level, so that a convolution finds its zero padding in memory.
struct Levels: Equatable {
    var quantizer: Quantizer
    /// Positions around each picture.
    var border = 0
    /// Bytes from one position to the next.
    var stride: Int

    init(_ quantizer: Quantizer, channels: Int, border: Int) {
        self.quantizer = quantizer
        self.border = border
        stride = (channels + 3) / 4 * 4  // kernels read four channels at a time
    }

    /// Packed rows without a border, as frames have them.
    init(packed quantizer: Quantizer, channels: Int) {
        self.quantizer = quantizer
        stride = channels
    }

    func rowBytes(_ shape: Shape) -> Int { (shape.width + 2 * border) * stride }
    func pictureBytes(_ shape: Shape) -> Int { (shape.height + 2 * border) * rowBytes(shape) }
    func bytes(_ shape: Shape) -> Int { shape.batch * pictureBytes(shape) }
    /// Where the first position of a picture's row begins.
    func offset(_ shape: Shape, picture: Int, row: Int) -> Int {
        picture * pictureBytes(shape) + (row + border) * rowBytes(shape) + border * stride
    }

    /// Fills the border of every picture with the zero level.
    func fillBorder(_ memory: UnsafeMutablePointer<UInt8>, _ shape: Shape) {
        guard border > 0 else { return }
        let zero = UInt8(quantizer.zero), row = rowBytes(shape), side = border * stride
        for picture in 0..<shape.batch {
            let base = memory + picture * pictureBytes(shape)
            base.update(repeating: zero, count: border * row + side)
            for line in 0..<shape.height - 1 {  // the end of a row and the beginning of the next
                (base + (border + line + 1) * row - side).update(repeating: zero, count: 2 * side)
            }
            (base + (border + shape.height) * row - side).update(repeating: zero, count: border * row + side)
        }
    }
}
