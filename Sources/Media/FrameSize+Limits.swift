import Frames

extension FrameSize {
    /// The smallest width and height that is edited, in pixels.
    public static let smallestSide = 64
    /// The largest width and height that is edited, in pixels: the limit of the H.264 encoder.
    public static let largestSide = 16384

    /// Throws unless width and height are even and from 64 to 16384. `subject` begins the sentence: "the size".
    public func validate(as subject: String, advice: String) throws(MediaError) {
        let sides = [width, height]
        if sides.contains(where: { $0 < Self.smallestSide || $0 > Self.largestSide }) {
            throw MediaError(
                "\(subject) is \(self), but width and height must be from \(Self.smallestSide) to "
                    + "\(Self.largestSide) pixels; \(advice).")
        }
        if sides.contains(where: { !$0.isMultiple(of: 2) }) {
            throw MediaError("\(subject) is \(self), but width and height must be even; \(advice).")
        }
    }

    /// The nearest size of even sides that is allowed.
    var nearestAllowed: FrameSize {
        func side(_ length: Int) -> Int { min(Self.largestSide, max(Self.smallestSide, length / 2 * 2)) }
        return FrameSize(width: side(width), height: side(height))
    }
}
