import Glibc

/// A picture that is kept: packed RGB.
public struct StoredFrame: Sendable {
    /// Its size.
    public let size: FrameSize
    /// [height, width, 3], row-major.
    public private(set) var pixels: [UInt8]

    /// A black picture.
    public init(size: FrameSize) {
        self.size = size
        pixels = Array(repeating: 0, count: size.width * size.height * 3)
    }

    /// A copy of what the view shows.
    public init(_ view: FrameView) {
        self.init(size: view.size)
        let row = size.width * 3
        pixels.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            for y in 0..<view.size.height {
                (base + y * row).copyMemory(from: view.base + y * view.stride, byteCount: row)
            }
        }
    }

    /// A picture of packed RGB, [height, width, 3]; missing pixels are black.
    public init(size: FrameSize, pixels: [UInt8]) {
        self.init(size: size)
        self.pixels.replaceSubrange(0..<min(pixels.count, self.pixels.count), with: pixels.prefix(self.pixels.count))
    }

    /// The frame that `editor`, prepared for this size, makes of this one.
    public func edited(by editor: any FrameEditor) throws -> StoredFrame {
        var result = StoredFrame(size: size)
        try edit(by: editor, into: &result)
        return result
    }

    /// Writes what `editor`, prepared for this size, makes of this frame into `result`, which has its size.
    public func edit(by editor: any FrameEditor, into result: inout StoredFrame) throws {
        let row = size.width * 3, size = size
        try pixels.withUnsafeBytes { input in
            try result.pixels.withUnsafeMutableBytes { output in
                guard let from = input.baseAddress, let to = output.baseAddress else { return }
                try editor.edit(
                    FrameView(base: from, size: size, stride: row),
                    into: MutableFrameView(base: to, size: size, stride: row))
            }
        }
    }

    /// Sum of squared differences of 8-bit numbers.
    public func squaredError(_ other: StoredFrame) -> Double {
        var sum = 0
        for index in pixels.indices {
            let difference = Int(pixels[index]) - Int(other.pixels[index])
            sum += difference * difference
        }
        return Double(sum)
    }

    /// PSNR of pictures against others of the same sizes, over all their pixels together, in dB; at most 99.
    public static func psnr(_ pictures: [StoredFrame], _ references: [StoredFrame]) -> Double {
        let error = zip(pictures, references).reduce(0) { $0 + $1.0.squaredError($1.1) }
        let count = pictures.reduce(0) { $0 + $1.pixels.count }
        return psnr(squaredError: error, count: count)
    }

    /// PSNR in dB of `count` 8-bit numbers with this sum of squared differences; at most 99.
    public static func psnr(squaredError error: Double, count: Int) -> Double {
        error == 0 ? 99 : min(99, 10 * log10(255 * 255 * Double(count) / error))
    }
}
