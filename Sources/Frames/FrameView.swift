/// Layout of a picture in memory.
public enum PixelFormat: String, Sendable, CaseIterable {
    /// Packed 8-bit red, green, blue; full range, sRGB transfer.
    case rgb = "RGB"

    /// Bytes a pixel takes in a row.
    public var bytesPerPixel: Int {
        switch self {
        case .rgb: 3
        }
    }
}

/// Width and height in pixels.
public struct FrameSize: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// Columns; positive.
    public var width: Int
    /// Rows; positive.
    public var height: Int

    /// A size of `width` x `height` pixels.
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// For example `512x384`.
    public var description: String { "\(width)x\(height)" }
}

/// A readable picture, [height, width, channels], that somebody else owns: valid only during the call it is given to.
public struct FrameView {
    /// The first byte of the top row.
    public let base: UnsafeRawPointer
    /// Size in pixels.
    public let size: FrameSize
    /// Bytes from one row to the next; at least width x bytes a pixel.
    public let stride: Int
    /// Layout of a pixel.
    public let format: PixelFormat

    /// A view of `size` pixels at `base`; `stride` in bytes.
    public init(base: UnsafeRawPointer, size: FrameSize, stride: Int, format: PixelFormat = .rgb) {
        self.base = base
        self.size = size
        self.stride = stride
        self.format = format
    }
}

/// A writable picture, [height, width, channels], that somebody else owns: valid only during the call it is given to.
public struct MutableFrameView {
    /// The first byte of the top row.
    public let base: UnsafeMutableRawPointer
    /// Size in pixels.
    public let size: FrameSize
    /// Bytes from one row to the next; at least width x bytes a pixel.
    public let stride: Int
    /// Layout of a pixel.
    public let format: PixelFormat

    /// A view of `size` pixels at `base`; `stride` in bytes.
    public init(base: UnsafeMutableRawPointer, size: FrameSize, stride: Int, format: PixelFormat = .rgb) {
        self.base = base
        self.size = size
        self.stride = stride
        self.format = format
    }
}
