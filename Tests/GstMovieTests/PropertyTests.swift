import CGstHarness
import CGstMovie
import Frames
import Glibc
import TestSupport
import Testing

/// Properties: what they do, when they may change, and what wrong values give.
@Suite struct PropertyTests {
    @Test func promptGuidanceAndSeedChangeTheEdit() throws {
        let usual = try #require(Harness("prompt=\"\(testPrompt)\"").edit(0)).bytes
        for other in [
            "prompt=watercolour", "prompt=\"\(testPrompt)\" guidance-scale=12",
            "prompt=\"\(testPrompt)\" image-guidance-scale=2", "prompt=\"\(testPrompt)\" seed=4", "preset=night",
        ] {
            #expect(try #require(Harness(other).edit(0)).bytes != usual, "\(other)")
        }
        #expect(try #require(Harness("prompt=\"\(testPrompt)\" guidance-scale=7.5").edit(0)).bytes == usual)
    }

    @Test func presetsStandForPrompts() throws {
        let named = try #require(Harness("preset=neon").edit(0)).bytes
        #expect(try #require(Harness("prompt=\"add neon edges\"").edit(0)).bytes == named)
        #expect(try #require(Harness("prompt=\"add neon edges\" preset=oil").edit(0)).bytes == named)
        #expect(try #require(Harness("prompt=\"  \" preset=neon").edit(0)).bytes == named)
    }

    @Test func strengthMixes() throws {
        let caps = TestCaps(format: "RGBx")
        let whole = try #require(Harness("strength=1", caps: caps).edit(0, caps: caps)).bytes
        let half = try #require(Harness("strength=0.5", caps: caps).edit(0, caps: caps)).bytes
        let none = try #require(Harness("strength=0", caps: caps).edit(0, caps: caps)).bytes
        for index in whole.indices where index % 4 < 3 {
            #expect(none[index] == 90)
            #expect(abs(Int(half[index]) - (Int(whole[index]) + 90 + 1) / 2) <= 1)
        }
    }

    @Test func aChangedPromptIsUsedFromTheNextFrame() throws {
        let harness = Harness("prompt=\"\(testPrompt)\"")
        let before = try #require(harness.edit(0)).bytes
        harness_set_string(harness.element, "prompt", "watercolour")
        let after = try #require(harness.edit(1)).bytes
        #expect(after == (try #require(Harness("prompt=watercolour").edit(0)).bytes) && after != before)
        harness_set_double(harness.element, "guidance-scale", 12)
        let guided = try #require(harness.edit(2)).bytes
        #expect(guided == (try #require(Harness("prompt=watercolour guidance-scale=12").edit(0)).bytes))
    }

    /// A live stream goes on with the old prompt until the new one is ready.
    @Test func aLivePromptChangesInTheBackground() throws {
        let harness = Harness("prompt=\"\(testPrompt)\"", isLive: true)
        let before = try #require(harness.edit(0)).bytes
        let wanted = try #require(Harness("prompt=watercolour guidance-scale=12").edit(0)).bytes
        harness_set_string(harness.element, "prompt", "something else first")
        harness.push(1)
        harness_set_string(harness.element, "prompt", "watercolour")
        harness.push(2)
        harness_set_double(harness.element, "guidance-scale", 12)
        var last = before, frames: UInt = 3
        while last != wanted, frames < 2000 {
            while let output = harness.pull() { last = output.bytes }
            usleep(2000)
            harness.push(frames)
            frames += 1
        }
        #expect(last == wanted, "within \(frames) frames")
        #expect(harness.stat("dropped") == 0 && harness.stat("held") == 0)
    }

    @Test func aControllerTurnsStrengthAndGuidance() throws {
        let harness = Harness()
        gst_util_set_object_arg(harness.element.asObject, "prompt", testPrompt)
        harness_control(harness.element.asGstObject, "strength", 0, 1, 10 * frameTime)
        let outputs = try [UInt(0), 5, 10].map { try #require(harness.edit($0)).bytes }
        #expect(outputs[0].allSatisfy { $0 == 90 })
        #expect(outputs[1] != outputs[0] && outputs[2] != outputs[1])
        let guided = Harness("prompt=\"\(testPrompt)\"")
        harness_control(guided.element.asGstObject, "guidance-scale", 2, 12, 10 * frameTime)
        let first = try #require(guided.edit(0)).bytes
        #expect(try #require(guided.edit(10)).bytes != first)
        #expect(first == (try #require(Harness("prompt=\"\(testPrompt)\" guidance-scale=2").edit(0)).bytes))
    }

    @Test(arguments: [
        (
            "guidance-scale=100",
            "guidance-scale is 100.0; this model takes 1.0 to 30.0, or 0 for its default: using 30.0."
        ),
        (
            "image-guidance-scale=0.5",
            "image-guidance-scale is 0.5; this model takes 1.0 to 5.0, or 0 for its default: using 1.0."
        ),
    ])
    func scalesAreBroughtIntoTheModelsRange(_ property: String, _ sentence: String) throws {
        let harness = Harness("prompt=x")
        let parts = property.split(separator: "=").map(String.init)
        harness_set_text(harness.element, parts[0], parts[1])
        #expect(harness.push(0) == GST_FLOW_OK)
        #expect(harness.message(GST_MESSAGE_WARNING) == "gst-library-error-quark 5: " + sentence)
        #expect(harness.stat("edited") == 1)
    }

    @Test func notANumberIsTheDefault() throws {
        let harness = Harness("prompt=x")
        harness_set_double(harness.element, "guidance-scale", .nan)
        harness_set_double(harness.element, "strength", .nan)
        let output = try #require(harness.edit(0)).bytes
        #expect(output == (try #require(Harness("prompt=x").edit(0)).bytes))
    }

    @Test func longPromptsAreCutWithAWarning() throws {
        let harness = Harness()
        harness_set_string(harness.element, "prompt", String(repeating: "a ", count: 5000))
        harness.push(0)
        #expect(harness.message(GST_MESSAGE_WARNING)?.contains("too long for this model") == true)
    }

    @Test(arguments: [
        ("/nowhere", "there is no model folder at /nowhere: give the path of a folder in diffusers layout"),
        ("/etc/passwd", "/etc/passwd is a file: a model is a folder in diffusers layout"),
        ("/tmp", "the model /tmp has no"),
    ])
    func aBadModelFailsTheStateChange(_ model: String, _ sentence: String) throws {
        harness_start()
        let element = try #require(gst_element_factory_make("movieedit", nil))
        gst_object_ref_sink(element)
        defer { gst_object_unref(element) }
        let bus = harness_bus(element)
        defer { gst_object_unref(bus) }
        harness_set_string(element, "model", model)
        #expect(gst_element_set_state(element, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS)
        #expect(gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
        let message = takeMessage(bus, GST_MESSAGE_ERROR, timeout: 0)
        #expect(message?.hasPrefix("gst-resource-error-quark 3: " + sentence) == true, "\(message ?? "none")")
        gst_element_set_state(element, GST_STATE_NULL)
    }
}

extension UnsafeMutablePointer<GstElement> {
    var asObject: UnsafeMutablePointer<GObject> { UnsafeMutableRawPointer(self).assumingMemoryBound(to: GObject.self) }
    var asGstObject: UnsafeMutablePointer<GstObject> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: GstObject.self)
    }
}
