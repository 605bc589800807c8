import Frames

/// What is done with a source's picture before it is edited: first cut, then turned, then mirrored.
public struct SourcePicture: Equatable, Sendable {
    /// Pixels of the source that are left out at its sides.
    public struct Margins: Equatable, Sendable {
        /// From 0 to 16384.
        public var left = 0, top = 0, right = 0, bottom = 0

        /// Margins in pixels.
        public init(left: Int = 0, top: Int = 0, right: Int = 0, bottom: Int = 0) {
            self.left = left
            self.top = top
            self.right = right
            self.bottom = bottom
        }

        /// Reads `LEFT,TOP,RIGHT,BOTTOM`. `subject` begins the error.
        public static func parse(_ text: String, _ subject: String) throws(MediaError) -> Margins {
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map {
                Int(String($0.drop { $0 == " " })) ?? -1
            }
            guard parts.count == 4, parts.allSatisfy({ (0...FrameSize.largestSide).contains($0) }) else {
                throw MediaError(
                    "\(subject) is '\(text)'; give the pixels to leave out as LEFT,TOP,RIGHT,BOTTOM, for example 80,0,80,0"
                )
            }
            return Margins(left: parts[0], top: parts[1], right: parts[2], bottom: parts[3])
        }
    }

    /// Whether left and right change places.
    public var isMirrored = false
    /// Degrees clockwise: 0, 90, 180 or 270.
    public var rotation = 0
    /// What is cut off.
    public var crop = Margins()

    /// The picture as it is.
    public init() {}

    /// Reads degrees. `subject` begins the error.
    public static func rotation(_ text: String, _ subject: String) throws(MediaError) -> Int {
        guard let degrees = Int(text), [0, 90, 180, 270].contains(degrees) else {
            throw MediaError("\(subject) is '\(text)'; it must be one of 0, 90, 180, 270 (degrees clockwise)")
        }
        return degrees
    }

    /// Elements that do it.
    var elements: [String] {
        var elements: [String] = []
        if crop != Margins() {
            elements.append("videocrop left=\(crop.left) top=\(crop.top) right=\(crop.right) bottom=\(crop.bottom)")
        }
        let directions = [90: "90r", 180: "180", 270: "90l"]
        if let direction = directions[rotation] { elements.append("videoflip video-direction=\(direction)") }
        if isMirrored { elements.append("videoflip video-direction=horiz") }
        return elements
    }

    /// What a camera must give, so that a picture of `size` comes out.
    func cameraSize(for size: FrameSize) -> FrameSize {
        let isOnItsSide = rotation == 90 || rotation == 270
        let width = isOnItsSide ? size.height : size.width, height = isOnItsSide ? size.width : size.height
        return FrameSize(width: width + crop.left + crop.right, height: height + crop.top + crop.bottom)
    }
}
