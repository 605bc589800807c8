import Compute
import Frames
import TestSupport
import Testing

@testable import Motion

/// The propagator as streams use it.
struct CarrierTests {
    private static let size = FrameSize(width: 96, height: 64)
    private static let pool = WorkerPool(threads: 2)

    private func view(_ pixels: inout [UInt8], _ format: PixelFormat = .rgb) -> MutableFrameView? {
        pixels.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map {
                MutableFrameView(
                    base: $0, size: Self.size, stride: format.bytesPerRow(ofPlane: 0, width: Self.size.width),
                    format: format)
            }
        }
    }

    /// What carrying shows of an edit after a frame that nobody followed, in a format.
    private func carry(_ format: PixelFormat) throws {
        let pixel = format.bytesPerPixel, count = Self.size.width * Self.size.height
        let carrier: any FrameCarrier = Propagator(size: Self.size, editSize: Self.size, pool: Self.pool)
        // The fourth byte is nothing or opaque.
        var frame = [UInt8](repeating: 255, count: count * pixel), edit = frame, output = frame
        for place in 0..<count {
            for channel in 0..<3 {
                frame[place * pixel + channel] = UInt8(truncatingIfNeeded: place * 7 + channel * 31)
                edit[place * pixel + channel] = UInt8(truncatingIfNeeded: place / 96 * 3 + channel * 50)
            }
        }
        let source = try #require(view(&frame, format)), target = try #require(view(&output, format))
        carrier.advance(to: source.readable, follows: false)
        #expect(!carrier.canRender)
        carrier.keep(edit: try #require(view(&edit, format)).readable)
        carrier.advance(to: source.readable, follows: false)
        carrier.advance(to: source.readable, follows: true)
        carrier.render(into: target)
        let isSame = output == edit
        #expect(isSame, "a still picture has the edit itself")
    }

    @Test(arguments: [PixelFormat.rgb, .bgr, .rgbx, .rgba]) func anyFormat(_ format: PixelFormat) throws {
        try carry(format)
    }
}
