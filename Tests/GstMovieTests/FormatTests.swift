import CGstHarness
import CGstMovie
import Compute
import Editing
import Frames
import Networks
import TestSupport
import Testing

/// The element's pixels are the session's, in every format, whatever the strides.
@Suite struct FormatTests {
    private static let pool = WorkerPool(threads: 2)
    private static let model = Result { try EditingModel(ModelFolder(path: testModel)) }

    /// What the session makes of a buffer's bytes, which lie as GStreamer lays them out.
    private func edited(_ caps: TestCaps, _ bytes: [UInt8], encoding: YUVEncoding) throws -> [UInt8] {
        let format = try #require(PixelFormat(rawValue: caps.format))
        let session = try EditSession(
            model: try Self.model.get(), settings: EditSettings(prompt: testPrompt), pool: Self.pool)
        try session.prepare(size: caps.size)
        var bytes = bytes
        try bytes.withUnsafeMutableBytes { buffer in
            let base = try #require(buffer.baseAddress)
            let stride = (format.bytesPerRow(ofPlane: 0, width: caps.width) + 3) / 4 * 4
            let chroma = format == .i420 ? (caps.width / 2 + 3) / 4 * 4 : stride
            let second = base + stride * caps.height, third = second + chroma * caps.height / 2
            let layout = FrameLayout(size: caps.size, format: format, encoding: encoding)
            let view = layout.mutableView(planes: (base, second, third), strides: (stride, chroma, chroma))
            try session.edit(view.readable, into: view)
        }
        return bytes
    }

    private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 * 5 + $0 / 11) } }

    private func buffer(_ bytes: [UInt8]) -> UnsafeMutablePointer<GstBuffer> {
        let buffer = harness_buffer(UInt(bytes.count), 0, 0, frameTime)
        gst_buffer_fill(buffer, 0, bytes, UInt(bytes.count))
        return buffer
    }

    @Test(arguments: PixelFormat.allCases, [(64, 64), (70, 66), (20, 2)])
    func editsAsTheSession(_ format: PixelFormat, _ size: (Int, Int)) throws {
        let caps = TestCaps(format: format.rawValue, width: size.0, height: size.1)
        let bytes = pattern(caps.bytes)
        let expected = try edited(caps, bytes, encoding: .bt601)
        for isShared in [false, true] {
            let harness = Harness("prompt=\"\(testPrompt)\"", caps: caps)
            let input = buffer(bytes)
            let other = isShared ? OutputBuffer(gst_buffer_ref(input)) : nil
            harness_push(harness.pointer, input)
            let output = try #require(harness.pull()).bytes
            withExtendedLifetime(other) {
                #expect(pixels(output, caps) == pixels(expected, caps), "shared: \(isShared)")
            }
        }
    }

    /// Rows without the bytes that only fill them up.
    private func pixels(_ bytes: [UInt8], _ caps: TestCaps) -> [[UInt8]] {
        guard let format = PixelFormat(rawValue: caps.format) else { return [] }
        var start = 0, rows: [[UInt8]] = []
        for plane in 0..<format.planeCount {
            let row = format.bytesPerRow(ofPlane: plane, width: caps.width)
            for _ in 0..<format.rows(ofPlane: plane, height: caps.height) {
                rows.append(Array(bytes[start..<start + row]))
                start += (row + 3) / 4 * 4
            }
        }
        return rows
    }

    @Test func colorimetryIsRespected() throws {
        for (name, encoding) in [("bt601", YUVEncoding.bt601), ("bt709", .bt709), ("1:4:0:0", .jpeg)] {
            let caps = TestCaps(format: "NV12", extra: ",colorimetry=\(name)")
            let bytes = pattern(caps.bytes)
            let harness = Harness("prompt=\"\(testPrompt)\"", caps: caps)
            harness_push(harness.pointer, buffer(bytes))
            #expect(try #require(harness.pull()).bytes == (try edited(caps, bytes, encoding: encoding)), "\(name)")
        }
    }

    @Test func stridesOfTheBufferAreRespected() throws {
        let caps = TestCaps(format: "I420")
        let plain = pattern(caps.bytes), expected = try edited(caps, plain, encoding: .bt601)
        // Every plane at a place and with a stride of its own.
        let strides: [Int32] = [80, 48, 40], offsets: [UInt] = [16, 6000, 8000]
        let starts = [0, 64 * 64, 64 * 64 * 5 / 4], widths = [64, 32, 32], heights = [64, 32, 32]
        var wide = [UInt8](repeating: 0xA5, count: 10000)
        func forEachRow(_ body: (_ wide: Int, _ plain: Int, _ count: Int) -> Void) {
            for plane in 0..<3 {
                for row in 0..<heights[plane] {
                    body(
                        Int(offsets[plane]) + row * Int(strides[plane]), starts[plane] + row * widths[plane],
                        widths[plane])
                }
            }
        }
        forEachRow { to, from, count in wide[to..<to + count] = plain[from..<from + count] }
        let input = buffer(wide)
        harness_add_strides(input, GST_VIDEO_FORMAT_I420, 64, 64, 3, offsets, strides)
        let harness = Harness("prompt=\"\(testPrompt)\"", caps: caps)
        harness_push(harness.pointer, input)
        let output = try #require(harness.pull()).bytes
        var untouched = [Bool](repeating: true, count: output.count)
        forEachRow { from, to, count in
            #expect(Array(output[from..<from + count]) == Array(expected[to..<to + count]))
            for index in from..<from + count { untouched[index] = false }
        }
        #expect(output.indices.allSatisfy { !untouched[$0] || output[$0] == 0xA5 })
    }
}
