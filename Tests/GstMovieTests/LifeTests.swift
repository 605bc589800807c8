import CAllocationCounter
import CGstHarness
import CGstMovie
import Frames
import Glibc
import TestSupport
import Testing

@testable import Editing
@testable import GstMovie

/// States, several elements, pipelines.
@Suite(.serialized) struct LifeTests {
    private func pipeline(_ text: String) throws -> UnsafeMutablePointer<GstElement> {
        harness_start()
        var error: UnsafeMutablePointer<GError>?
        let pipeline = gst_parse_launch(text, &error)
        #expect(error == nil, "\(error.map { String(cString: $0.pointee.message) } ?? "")")
        return try #require(pipeline)
    }

    /// Waits until a change of state is done.
    private func go(_ pipeline: UnsafeMutablePointer<GstElement>, _ state: GstState) {
        gst_element_set_state(pipeline, state)
        #expect(gst_element_get_state(pipeline, nil, nil, 20_000_000_000) != GST_STATE_CHANGE_FAILURE)
    }

    private func waitForEnd(_ pipeline: UnsafeMutablePointer<GstElement>) -> String? {
        let bus = harness_bus(pipeline)
        defer { gst_object_unref(bus) }
        let types = GstMessageType(GST_MESSAGE_EOS.rawValue | GST_MESSAGE_ERROR.rawValue)
        return takeMessage(bus, types, timeout: 60_000_000_000)
    }

    @Test func elementsShareWeightsAndThreads() throws {
        let first = try SharedEngine(model: testModel, threads: 3)
        let second = try SharedEngine(model: testModel + "/../whole-editor", threads: 3)
        #expect(first.model === second.model && first.pool === second.pool)
        #expect(try SharedEngine(model: testModel, threads: 1).pool !== first.pool)
    }

    @Test func theLastUserFreesTheEngine() throws {
        let folder = try FixtureCopy("whole-editor")
        weak var model = try SharedEngine(model: folder.path, threads: 3).model
        #expect(model == nil)
    }

    @Test func twoBranchesTwoPrompts() throws {
        let pipeline = try pipeline(
            "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=64 ! tee name=t "
                + "t. ! queue ! movieedit model=\(testModel) prompt=one threads=2 ! fakesink "
                + "t. ! queue ! movieedit model=\(testModel) prompt=two threads=2 ! fakesink")
        gst_element_set_state(pipeline, GST_STATE_PLAYING)
        #expect(waitForEnd(pipeline) == "eos")
        go(pipeline, GST_STATE_NULL)
        gst_object_unref(pipeline)
    }

    @Test func seekPauseAndPlay() throws {
        let pipeline = try pipeline(
            "videotestsrc num-buffers=20 ! video/x-raw,width=64,height=64,framerate=25/1 ! "
                + "movieedit name=edit model=\(testModel) threads=2 ! fakesink name=sink sync=true")
        go(pipeline, GST_STATE_PAUSED)
        let flags = GstSeekFlags(GST_SEEK_FLAG_FLUSH.rawValue | GST_SEEK_FLAG_ACCURATE.rawValue)
        #expect(gst_element_seek_simple(pipeline, GST_FORMAT_TIME, flags, 100_000_000) != 0)
        go(pipeline, GST_STATE_PAUSED)
        var position: Int = 0
        #expect(
            gst_element_query_position(pipeline, GST_FORMAT_TIME, &position) != 0 && position == 80_000_000
                || position == 100_000_000)
        go(pipeline, GST_STATE_PLAYING)
        usleep(100_000)
        go(pipeline, GST_STATE_PAUSED)
        go(pipeline, GST_STATE_PLAYING)
        #expect(waitForEnd(pipeline) == "eos")
        go(pipeline, GST_STATE_NULL)
        gst_object_unref(pipeline)
    }

    @Test func aPromptChangesWhilePlaying() throws {
        let pipeline = try pipeline(
            "videotestsrc num-buffers=40 is-live=true ! video/x-raw,width=64,height=64,framerate=50/1 ! "
                + "movieedit name=edit model=\(testModel) threads=2 latency-budget=300 ! fakesink sync=true")
        go(pipeline, GST_STATE_PLAYING)
        let edit = try #require(
            gst_bin_get_by_name(UnsafeMutableRawPointer(pipeline).assumingMemoryBound(to: GstBin.self), "edit"))
        for number in 0..<20 {
            harness_set_string(edit, "prompt", "prompt \(number)")
            harness_set_double(edit, "guidance-scale", Double(2 + number % 5))
            usleep(20_000)
        }
        #expect(waitForEnd(pipeline) == "eos")
        #expect(harness_stat(edit, "in") == 40 && harness_stat(edit, "dropped") == 0)
        gst_object_unref(edit)
        go(pipeline, GST_STATE_NULL)
        gst_object_unref(pipeline)
    }

    /// Counts what a frame allocates between the C class and the end of the edit, on the thread that moves frames.
    @Test(arguments: ["RGB", "I420"], [1.0, 0.5]) func aFrameAllocatesNothing(_ format: String, _ strength: Double)
        throws
    {
        harness_start()
        let element = try #require(gst_element_factory_make("movieedit", nil))
        gst_object_ref_sink(element)
        defer { gst_object_unref(element) }
        let body = MovieElement(element)
        body.settings.withLock {
            $0.model = testModel; $0.threads = 2; $0.strength = strength; $0.prompt = testPrompt
        }
        let caps = TestCaps(format: format)
        var info = GstVideoInfo(), frame = GstVideoFrame()
        let parsed = try #require(gst_caps_from_string(caps.text))
        gst_video_info_from_caps(&info, parsed)
        gst_caps_unref(parsed)
        try #require(body.start() && body.setInfo(info))
        let buffer = harness_buffer(UInt(caps.bytes), 90, 0, frameTime)
        try #require(
            gst_video_frame_map(&frame, &info, buffer, GstMapFlags(GST_MAP_READ.rawValue | GST_MAP_WRITE.rawValue)) != 0
        )
        for isLive in [false, true] {
            _ = body.addedLatency(isLive: isLive, upstream: 0)
            var counted: UInt = 0, results: Set<GstFlowReturn.RawValue> = []
            for number in 0..<30 {
                let time = UInt(number) * frameTime
                let timing = GstMovieTiming(running_time: time, now: time, duration: frameTime, pts: time)
                if number == 10 {
                    movie_count_thread_allocations(true)
                    counted = movie_allocations_of_thread()
                }
                let result = body.process(&frame, &frame, timing)
                if number == 25 {
                    counted = movie_allocations_of_thread() - counted
                    movie_count_thread_allocations(false)
                }
                results.insert(result.rawValue)
            }
            #expect(counted == 0 && results == [GST_FLOW_OK.rawValue], "live: \(isLive)")
        }
        gst_video_frame_unmap(&frame)
        gst_buffer_unref(buffer)
        body.stop()
    }
}
