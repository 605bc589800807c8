import CGstHarness
import CGstMovie
import Frames
import Glibc
import TestSupport
import Testing

/// What a GStreamer user expects of a filter.
@Suite struct MannersTests {
    @Test func timesOffsetsFlagsAndMetasAreKept() throws {
        let harness = Harness()
        for isShared in [false, true] {
            let buffer = harness_buffer(UInt(TestCaps().bytes), 90, 7 * frameTime, frameTime)
            harness_set_offset(buffer, 1234)
            harness_set_flag(buffer, GST_BUFFER_FLAG_MARKER)
            harness_add_meta(buffer, 555)
            if isShared { gst_buffer_ref(buffer) }
            #expect(harness_push(harness.pointer, buffer) == GST_FLOW_OK)
            let output = try #require(harness.pull())
            #expect(output.pts == 7 * frameTime && output.duration == frameTime)
            #expect(harness_offset(output.pointer) == 1234)
            #expect(harness_has_flag(output.pointer, GST_BUFFER_FLAG_MARKER) != 0)
            #expect(harness_meta(output.pointer) == 555)
            #expect((output.pointer == buffer) == !isShared, "in place where the buffer may be written")
            if isShared {
                #expect(OutputBuffer(buffer).bytes.allSatisfy { $0 == 90 }, "a shared buffer stays as it is")
                #expect(harness_is_pooled(output.pointer) != 0)
            }
        }
    }

    @Test func framesWithoutTimesAreEdited() throws {
        let harness = Harness()
        harness_push(harness.pointer, harness_buffer(UInt(TestCaps().bytes), 90, .max, .max))
        let output = try #require(harness.pull())
        #expect(output.pts == .max && harness.stat("edited") == 1)
    }

    @Test func eventsPass() {
        let harness = Harness()
        harness.push(0)
        #expect(harness_push_gap(harness.pointer, frameTime, frameTime) != 0)
        #expect(harness_push_segment(harness.pointer, 5 * frameTime) != 0)
        #expect(harness_push_flush(harness.pointer) != 0)
        #expect(harness_push_segment(harness.pointer, 0) != 0)
        harness.push(0)
        #expect(harness_push_eos(harness.pointer) != 0)
        #expect(
            harness.events() == [
                "stream-start", "caps", "segment", "gap", "segment", "flush-start", "flush-stop", "segment", "eos",
            ])
    }

    @Test func nothingIsLostBeforeTheEnd() {
        let harness = Harness()
        for number in 0..<10 { harness.push(UInt(number)) }
        harness_push_eos(harness.pointer)
        #expect(gst_harness_buffers_received(harness.pointer) == 10)
        #expect(harness.stat("in") == 10 && harness.stat("edited") == 10 && harness.rung == "edited")
        #expect(harness.stat("latency-p50") > 0 && harness.stat("latency-p50") <= harness.stat("latency-p99"))
    }

    @Test func aStreamThatIsNotLiveIsNeverLate() {
        let harness = Harness("latency-budget=1")
        harness.setTime(3600 * 1_000_000_000)
        harness_push_qos(harness.pointer, 1_000_000_000, 0)
        for number in 0..<5 { harness.push(UInt(number)) }
        #expect(harness.stat("edited") == 5 && harness.stat("late") == 0)
        #expect(harness.message(GST_MESSAGE_QOS) == nil)
    }

    @Test func framesGoWhenQualityOfServiceIsAskedFor() {
        let harness = Harness("qos=true")
        harness.push(0)
        harness_push_qos(harness.pointer, Int(2 * frameTime), frameTime)
        for number in 1..<6 { harness.push(UInt(number)) }
        #expect(harness.stat("dropped") == 3 && harness.stat("edited") == 3, "those before 120 ms")
        #expect(harness.message(GST_MESSAGE_QOS) == "qos")
        #expect(harness.upstreamEvents().contains("qos"), "the event goes on")
    }

    @Test func formatsAndSizesChangeInMidStream() throws {
        let harness = Harness()
        let caps = [
            TestCaps(), TestCaps(width: 96, height: 66), TestCaps(format: "I420", width: 96, height: 66),
            TestCaps(format: "RGBA"), TestCaps(),
        ]
        let first = try #require(harness.edit(0)).bytes
        for (number, changed) in caps.enumerated() {
            harness.begin(changed)
            let output = try #require(harness.edit(UInt(number), caps: changed), "\(changed.text)")
            #expect(output.bytes.count == changed.bytes, "\(changed.text)")
            if number == caps.count - 1 { #expect(output.bytes == first) }
        }
        #expect(harness.stat("edited") == caps.count + 1)
        #expect(harness.message(GST_MESSAGE_ERROR) == nil)
    }

    @Test func upstreamMayUseStrides() {
        let harness = Harness()
        withExtendedLifetime(harness) { #expect(harness_proposes_video_meta($0.pointer) != 0) }
    }

    @Test(arguments: [
        "format=RGB,width=65,height=64", "format=RGB,width=64,height=65", "format=RGB,width=0,height=64",
        "format=GRAY8,width=64,height=64", "format=RGB,width=64,height=16386",
    ])
    func otherCapsAreRefused(_ caps: String) throws {
        let harness = Harness(caps: nil)
        gst_harness_set_src_caps_str(harness.pointer, "video/x-raw,framerate=25/1," + caps)
        #expect(harness.push(0) == GST_FLOW_NOT_NEGOTIATED)
        #expect(harness.pull() == nil)
    }
}

/// Latency, and frames that come too late.
@Suite struct LiveTests {
    private func latency(_ harness: Harness) throws -> (isLive: Bool, least: UInt, most: UInt) {
        var isLive: gboolean = 0, least: GstClockTime = 0, most: GstClockTime = 0
        try #require(harness_query_latency(harness.pointer, &isLive, &least, &most) != 0)
        return (isLive != 0, least, most)
    }

    @Test func latencyIsTheBudget() throws {
        let harness = Harness("latency-budget=70", isLive: true)
        harness_set_upstream_latency(harness.pointer, 5_000_000)
        let answer = try latency(harness)
        #expect(answer.isLive && answer.least == 75_000_000)
        harness_set_uint(harness.element, "latency-budget", 90)
        #expect(try latency(harness).least == 95_000_000)
        #expect(harness.message(GST_MESSAGE_LATENCY) == "latency")
    }

    @Test func latencyIsMeasuredWithoutABudget() throws {
        let harness = Harness(isLive: true)
        let answer = try latency(harness)
        #expect(answer.least > frameTime && answer.least < 100 * frameTime, "an edit and a frame")
        #expect(harness.message(GST_MESSAGE_LATENCY) == "latency")
    }

    @Test func aStreamThatIsNotLiveHasNone() throws {
        let answer = try latency(Harness("latency-budget=70"))
        #expect(!answer.isLive && answer.least == 0 && answer.most == .max)
    }

    @Test func lateFramesShowTheLastEdit() throws {
        let harness = Harness("latency-budget=10000", isLive: true)
        let first = try #require(harness.edit(0))
        harness.setTime(20_000_000_000)  // the frames of the first seconds are late now
        harness_push_segment(harness.pointer, 0)
        // One is edited all the same, because none was for so long.
        let edited = try #require(harness.edit(1, fill: 200))
        let held = try #require(harness.edit(2, fill: 30))
        #expect(edited.bytes != first.bytes && held.bytes == edited.bytes)
        #expect(held.pts == 2 * frameTime && held.duration == frameTime)
        #expect(harness.stat("held") == 1 && harness.stat("late") == 2 && harness.rung == "held")
        #expect(harness.message(GST_MESSAGE_QOS) == "qos")
        let onTime = try #require(harness.edit(500, fill: 30))
        #expect(onTime.bytes != edited.bytes && harness.rung == "edited")
    }

    /// A nanosecond is left, too little for an edit; what carrying costs is not known yet, so it is tried.
    @Test func framesWithoutTimeAreCarried() throws {
        let harness = Harness("latency-budget=1", isLive: true)
        let first = try #require(harness.edit(0))
        harness.setTime(frameTime + 999_999)
        let carried = try #require(harness.edit(1))
        #expect(carried.pts == frameTime && harness.rung == "propagated" && harness.stat("propagated") == 1)
        #expect(carried.bytes == first.bytes, "a still picture has the edit itself")
        harness_push_flush(harness.pointer)
        harness_push_segment(harness.pointer, 0)
        for number in 2..<100 where harness.stat("edited") < 2 {  // the edit under way ends first
            harness.push(UInt(number))
            usleep(10_000)
        }
        #expect(harness.stat("edited") >= 2, "what was carried is forgotten, an edit under way too")
    }

    /// Whoever wants something else than the last edit gets it.
    @Test func otherFallbacksAreNotCarried() throws {
        let harness = Harness("latency-budget=1 fallback=passthrough", isLive: true)
        for number in 0..<10 { harness.push(UInt(number)) }
        #expect(harness.stat("propagated") == 0 && harness.stat("in") == 10)
    }

    @Test func lateFramesMayPassOrGo() throws {
        for (fallback, count) in [("passthrough", 1), ("drop", 0)] {
            let harness = Harness("latency-budget=10000 fallback=\(fallback)", isLive: true)
            harness.push(0)
            harness.setTime(20_000_000_000)
            harness.push(1)
            while harness.pull() != nil {}
            #expect(harness.push(2, fill: 31) == GST_FLOW_OK)
            let output = harness.pull()
            #expect((output == nil) == (count == 0))
            if let output { #expect(output.bytes.allSatisfy { $0 == 31 }) }
            #expect(harness.stat("passthrough") == count && harness.stat("dropped") == 1 - count)
            #expect(harness.upstreamEvents().contains("qos") == (fallback == "drop"))
        }
    }

    @Test func aSinksReportIsHonoured() throws {
        let harness = Harness(isLive: true)
        let first = try #require(harness.edit(0))
        harness_push_qos(harness.pointer, Int(frameTime), frameTime)  // before 80 ms all is late
        #expect(try #require(harness.edit(1, fill: 200)).bytes == first.bytes)
        #expect(try #require(harness.edit(2, fill: 200)).bytes != first.bytes)
        #expect(harness.stat("held") == 1)
        harness_push_qos(harness.pointer, -5, 4 * frameTime)
        #expect(try #require(harness.edit(3, fill: 90)).bytes == first.bytes)
        #expect(harness.stat("edited") == 3)
    }

    @Test func theFirstPictureAfterAFlushIsEdited() throws {
        let harness = Harness("latency-budget=10000", isLive: true)
        harness.push(0)
        harness.setTime(20_000_000_000)
        harness_push_flush(harness.pointer)
        harness_push_segment(harness.pointer, 0)
        harness.push(1)
        #expect(harness.stat("edited") == 2 && harness.stat("held") == 0)
    }

    @Test func theBudgetOfTheProcessorIsKept() throws {
        let live = Harness("cpu-budget=1", isLive: true)
        for number in 0..<30 { live.push(UInt(number)) }
        #expect(live.stat("held") > 0 && live.stat("edited") > 0 && live.stat("late") == 0)
        #expect(live.stat("held") + live.stat("edited") == 30)
        let offline = Harness("cpu-budget=50")
        for number in 0..<5 { offline.push(UInt(number)) }
        #expect(offline.stat("edited") == 5)
    }
}
