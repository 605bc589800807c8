import Frames
import TestSupport
import Testing

/// Pictures of any format in memory, with sentinels around every row.
private final class Picture {
    static let sentinel: UInt8 = 0xA5
    let layout: FrameLayout
    private var planes: [UnsafeMutablePointer<UInt8>] = []
    private var strides: [Int] = []
    private var lengths: [Int] = []

    /// Rows are `extra` bytes longer than their pixels.
    init(_ layout: FrameLayout, extra: Int) {
        self.layout = layout
        for plane in 0..<layout.format.planeCount {
            let stride = layout.format.bytesPerRow(ofPlane: plane, width: layout.size.width) + extra
            let length = stride * layout.format.rows(ofPlane: plane, height: layout.size.height) + 32
            let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: length)
            bytes.initialize(repeating: Self.sentinel, count: length)
            planes.append(bytes)
            strides.append(stride)
            lengths.append(length)
        }
    }

    deinit { planes.forEach { $0.deallocate() } }

    var view: MutableFrameView {
        func plane(_ index: Int) -> UnsafeMutableRawPointer? {
            planes.indices.contains(index) ? .init(planes[index]) : nil
        }
        func stride(_ index: Int) -> Int { strides.indices.contains(index) ? strides[index] : 0 }
        return layout.mutableView(
            planes: (UnsafeMutableRawPointer(planes[0]), plane(1), plane(2)), strides: (stride(0), stride(1), stride(2))
        )
    }

    /// The bytes of the pixels of a plane.
    func pixels(_ plane: Int) -> [UInt8] {
        let bytes = layout.format.bytesPerRow(ofPlane: plane, width: layout.size.width)
        return (0..<layout.format.rows(ofPlane: plane, height: layout.size.height)).flatMap { row in
            Array(UnsafeBufferPointer(start: planes[plane] + row * strides[plane], count: bytes))
        }
    }

    func fill(_ value: (_ plane: Int, _ index: Int) -> UInt8) {
        for plane in planes.indices {
            let bytes = layout.format.bytesPerRow(ofPlane: plane, width: layout.size.width)
            for row in 0..<layout.format.rows(ofPlane: plane, height: layout.size.height) {
                for column in 0..<bytes {
                    planes[plane][row * strides[plane] + column] = value(plane, row * bytes + column)
                }
            }
        }
    }

    var isUntouchedOutside: Bool {
        planes.indices.allSatisfy { plane in
            let bytes = layout.format.bytesPerRow(ofPlane: plane, width: layout.size.width)
            let rows = layout.format.rows(ofPlane: plane, height: layout.size.height)
            return (0..<lengths[plane]).allSatisfy { index in
                let isPixel = index < rows * strides[plane] && index % strides[plane] < bytes
                return isPixel || planes[plane][index] == Self.sentinel
            }
        }
    }

    /// Red, green and blue of a pixel as the textbook computes them, not rounded.
    func expectedRGB(_ x: Int, _ y: Int) -> [Double] {
        let width = layout.size.width
        func sample(_ plane: Int, _ row: Int, _ index: Int) -> Double {
            Double(planes[plane][row * strides[plane] + index])
        }
        func packed(_ step: Int, _ order: [Int]) -> [Double] { order.map { sample(0, y, x * step + $0) } }
        switch layout.format {
        case .rgb: return packed(3, [0, 1, 2])
        case .bgr: return packed(3, [2, 1, 0])
        case .rgbx, .rgba: return packed(4, [0, 1, 2])
        case .bgrx: return packed(4, [2, 1, 0])
        case .i420:
            return textbook(sample(0, y, x), sample(1, y / 2, x / 2), sample(2, y / 2, x / 2))
        case .nv12:
            return textbook(sample(0, y, x), sample(1, y / 2, x / 2 * 2), sample(1, y / 2, x / 2 * 2 + 1))
        case .yuy2:
            _ = width
            return textbook(sample(0, y, 2 * x), sample(0, y, x / 2 * 4 + 1), sample(0, y, x / 2 * 4 + 3))
        }
    }

    private func textbook(_ y: Double, _ u: Double, _ v: Double) -> [Double] {
        let code = layout.encoding
        let luma = code.isFullRange ? y / 255 : (y - 16) / 219
        let chroma = code.isFullRange ? 255.0 : 224
        let red = luma + 2 * (1 - code.red) * (v - 128) / chroma
        let blue = luma + 2 * (1 - code.blue) * (u - 128) / chroma
        let green = (luma - code.red * red - code.blue * blue) / (1 - code.red - code.blue)
        return [red, green, blue].map { min(max(0, $0 * 255), 255) }
    }
}

@Suite struct ColourTests {
    static let encodings = [YUVEncoding.bt601, .bt709, .jpeg]
    /// Below, at and above the block that the kernels work on, and two of them.
    static let widths = [2, 62, 64, 66, 130]

    private func rgb(_ picture: Picture) -> [UInt8] {
        let size = picture.layout.size, stride = size.width * 3 + 5
        var bytes = [UInt8](repeating: 1, count: stride * size.height)
        bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            picture.view.readable.readRGB(rows: 0..<size.height, into: base, stride: stride)
        }
        return (0..<size.height).flatMap { bytes[$0 * stride..<$0 * stride + size.width * 3] }
    }

    private func write(_ rgb: [UInt8], to picture: Picture, alphaFrom source: Picture? = nil) {
        let size = picture.layout.size
        rgb.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            picture.view.writeRGB(
                rows: 0..<size.height, from: base, stride: size.width * 3, alphaFrom: source?.view.readable)
        }
    }

    @Test(arguments: PixelFormat.allCases, widths)
    func readsAsTheTextbook(_ format: PixelFormat, _ width: Int) {
        for encoding in Self.encodings {
            let size = FrameSize(width: width, height: 6)
            let picture = Picture(FrameLayout(size: size, format: format, encoding: encoding), extra: 7)
            picture.fill { plane, index in UInt8(truncatingIfNeeded: index * 37 + plane * 91 + index / 7) }
            let result = rgb(picture)
            var worst = 0.0
            for y in 0..<size.height {
                for x in 0..<width {
                    for (channel, expected) in picture.expectedRGB(x, y).enumerated() {
                        worst = max(worst, abs(Double(result[(y * width + x) * 3 + channel]) - expected))
                    }
                }
            }
            // Half a step is rounding; the coefficients' 16 bits add less than a hundredth.
            #expect(worst <= 0.51, "\(encoding)")
        }
    }

    /// What was read can be written back: chroma is repeated on the way out and averaged on the way in.
    @Test(arguments: PixelFormat.allCases, widths)
    func writesBackWhatItRead(_ format: PixelFormat, _ width: Int) {
        let layout = FrameLayout(size: FrameSize(width: width, height: 6), format: format, encoding: .bt709)
        let picture = Picture(layout, extra: 3), copy = Picture(layout, extra: 9)
        // Colours inside the gamut, so that nothing is clamped.
        picture.fill { plane, index in UInt8(110 + (index * 13 + plane * 5) % 36) }
        write(rgb(picture), to: copy, alphaFrom: picture)
        for plane in 0..<format.planeCount {
            for (before, after) in zip(picture.pixels(plane), copy.pixels(plane)) {
                if [.rgbx, .bgrx].contains(format) { continue }
                #expect(abs(Int(before) - Int(after)) <= (format.isYUV ? 1 : 0))
            }
        }
        #expect(copy.isUntouchedOutside)
        if format == .rgbx || format == .bgrx {
            #expect(rgb(copy) == rgb(picture))
            #expect(stride(from: 3, to: copy.pixels(0).count, by: 4).allSatisfy { copy.pixels(0)[$0] == 255 })
        }
    }

    @Test func greyStaysGreyAndEndsStayEnds() {
        for format in [PixelFormat.i420, .nv12, .yuy2] {
            for encoding in Self.encodings {
                let size = FrameSize(width: 64, height: 2)
                let picture = Picture(FrameLayout(size: size, format: format, encoding: encoding), extra: 0)
                for level in [UInt8(0), 1, 100, 254, 255] {
                    let grey = [UInt8](repeating: level, count: 64 * 2 * 3)
                    write(grey, to: picture)
                    let worst = rgb(picture).map { abs(Int($0) - Int(level)) }.max() ?? 0
                    #expect(worst <= (encoding.isFullRange ? 0 : 1), "\(format) \(encoding) \(level)")
                }
            }
        }
    }

    @Test func alphaInPlaceStays() {
        let picture = Picture(FrameLayout(size: FrameSize(width: 66, height: 2), format: .rgba), extra: 4)
        picture.fill { _, index in UInt8(truncatingIfNeeded: index * 7) }
        let before = picture.pixels(0)
        write([UInt8](repeating: 9, count: 66 * 2 * 3), to: picture)
        let after = picture.pixels(0)
        #expect(after.indices.allSatisfy { $0 % 4 == 3 ? after[$0] == before[$0] : after[$0] == 9 })
    }

    @Test(arguments: PixelFormat.allCases) func copiesAllPlanes(_ format: PixelFormat) {
        let layout = FrameLayout(size: FrameSize(width: 10, height: 4), format: format)
        let picture = Picture(layout, extra: 1), copy = Picture(layout, extra: 6)
        picture.fill { plane, index in UInt8(truncatingIfNeeded: index + plane * 3) }
        copy.view.copy(from: picture.view.readable)
        for plane in 0..<format.planeCount { #expect(copy.pixels(plane) == picture.pixels(plane)) }
        #expect(copy.isUntouchedOutside)
    }
}
