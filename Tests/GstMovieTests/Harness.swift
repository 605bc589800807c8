import CGstHarness
import CGstMovie
import Frames
import TestSupport

/// The small model that tests edit with, and its prompt.
let testModel = "\(fixtureFolder)/whole-editor"
let testPrompt = "Turn it into a pencil sketch, please!"
/// Nanoseconds of a frame at 25 a second.
let frameTime: UInt = 40_000_000

/// Raw video caps.
struct TestCaps {
    var format = "RGB"
    var width = 64
    var height = 64
    var extra = ""

    var text: String { "video/x-raw,format=\(format),width=\(width),height=\(height),framerate=25/1" + extra }
    var size: FrameSize { FrameSize(width: width, height: height) }

    /// Bytes of a frame in GStreamer's usual layout, where rows are multiples of four bytes.
    var bytes: Int {
        let stride = { (bytes: Int) in (bytes + 3) / 4 * 4 }
        switch PixelFormat(rawValue: format) {
        case .i420: return stride(width) * height + 2 * stride((width + 1) / 2) * (height / 2)
        case .nv12: return stride(width) * height * 3 / 2
        case .yuy2: return stride(width * 2) * height
        case .rgb, .bgr: return stride(width * 3) * height
        default: return width * 4 * height
        }
    }
}

/// One movieedit between a source and a sink that the test plays, on a clock that the test turns.
final class Harness {
    let pointer: UnsafeMutablePointer<GstHarness>
    let element: UnsafeMutablePointer<GstElement>
    let bus: UnsafeMutablePointer<GstBus>

    /// Plays; with `caps`, the stream has begun.
    init(_ properties: String = "", caps: TestCaps? = TestCaps(), isLive: Bool = false) {
        harness_start()
        pointer = gst_harness_new_parse("movieedit model=\(testModel) threads=2 \(properties)")
        element = gst_harness_find_element(pointer, "movieedit")
        bus = harness_bus(pointer.pointee.element)
        if !isLive { harness_be_offline(pointer) }
        if let caps { begin(caps) }
    }

    deinit {
        gst_object_unref(bus)
        gst_object_unref(element)
        gst_harness_teardown(pointer)
    }

    func begin(_ caps: TestCaps) { gst_harness_set_src_caps_str(pointer, caps.text) }

    /// Pushes a frame filled with one value; `number` gives its time.
    @discardableResult
    func push(_ number: UInt, caps: TestCaps = TestCaps(), fill: UInt8 = 90) -> GstFlowReturn {
        harness_push(pointer, harness_buffer(UInt(caps.bytes), fill, number * frameTime, frameTime))
    }

    /// The next buffer that came out; nil when there is none.
    func pull() -> OutputBuffer? { gst_harness_try_pull(pointer).map { OutputBuffer($0) } }

    /// Pushes a frame and takes what came of it.
    func edit(_ number: UInt, caps: TestCaps = TestCaps(), fill: UInt8 = 90) -> OutputBuffer? {
        push(number, caps: caps, fill: fill)
        return pull()
    }

    func stat(_ name: String) -> Int { Int(clamping: harness_stat(element, name)) }

    var rung: String {
        let text = harness_stat_text(element, "rung")
        defer { g_free(text) }
        return String(cString: text)
    }

    /// The next message of a type, as "domain code: sentence" or the type's name.
    func message(_ types: GstMessageType) -> String? { takeMessage(bus, types, timeout: 0) }

    /// Names of the events that have arrived downstream, oldest first.
    func events() -> [String] {
        var names: [String] = []
        while let name = harness_pull_event(pointer) { names.append(String(cString: name)) }
        return names
    }

    func upstreamEvents() -> [String] {
        var names: [String] = []
        while let name = harness_pull_upstream_event(pointer) { names.append(String(cString: name)) }
        return names
    }

    /// Turns the clock.
    func setTime(_ time: UInt) { gst_harness_set_time(pointer, time) }
}

/// A buffer that a test owns.
final class OutputBuffer {
    let pointer: UnsafeMutablePointer<GstBuffer>
    init(_ pointer: UnsafeMutablePointer<GstBuffer>) { self.pointer = pointer }
    deinit { gst_buffer_unref(pointer) }

    var pts: UInt { harness_pts(pointer) }
    var duration: UInt { harness_duration(pointer) }

    var bytes: [UInt8] {
        var map = GstMapInfo()
        guard gst_buffer_map(pointer, &map, GST_MAP_READ) != 0 else { return [] }
        defer { gst_buffer_unmap(pointer, &map) }
        return Array(UnsafeBufferPointer(start: map.data, count: Int(map.size)))
    }
}

/// The text of the next message of these types; nil after `timeout` nanoseconds.
func takeMessage(_ bus: UnsafeMutablePointer<GstBus>, _ types: GstMessageType, timeout: UInt) -> String? {
    guard let text = harness_message(bus, types, timeout) else { return nil }
    defer { g_free(text) }
    return String(cString: text)
}
