import Editing
import Foundation
import Media
import Scheduling
import TestSupport
import Testing

@testable import Service

struct ConfigurationTests {
    private static let minimal = "streams: [{source: test:ball, sinks: gst:fakesink, prompt: x}]"

    private func parse(_ text: String) throws -> RunRequest { try ConfigurationFile.parse(text, path: "f.yaml") }

    /// A stream with one more line; what the file's error says.
    private func refusal(of line: String) -> String? {
        sentence {
            _ = try parse("streams:\n  - source: test:ball\n    sinks: gst:fakesink\n    prompt: x\n    \(line)\n")
        }
    }

    @Test func theExampleIsValid() throws {
        let request = try ConfigurationFile.read("\(packageFolder)/Configs/streams.yaml")
        #expect(request.budget == 80 && request.threads == 2)
        try #require(request.streams.count == 2)
        let desk = request.streams[0], door = request.streams[1]
        #expect(desk.name == "desk" && desk.settings.prompt == "make it an ink cartoon" && desk.model == nil)
        #expect(
            desk.settings.guidanceScale == 7.5 && desk.settings.imageGuidanceScale == 1.5 && desk.settings.seed == 0)
        #expect(desk.live.source == .webcam(.init(device: "/dev/video0")))
        #expect(desk.live.sinks == [.loopback(.init(device: "/dev/video10"))])
        #expect(desk.live.size == .init(width: 512, height: 384) && desk.live.framerate == Framerate(30))
        #expect(desk.live.latencyBudget == .milliseconds(100) && desk.live.fallback == .hold && desk.live.weight == 1)
        #expect(door.live.sinks == [.loopback(.init(device: "/dev/video11")), .file(path: "/tmp/door.mkv")])
        #expect(door.live.fallback == .placeholder && door.live.weight == 0.5 && door.live.latencyBudget == nil)
    }

    @Test func defaults() throws {
        let request = try parse(Self.minimal)
        #expect(request.budget == nil && request.threads == nil)
        let stream = try #require(request.streams.first)
        #expect(stream.name == "stream-1" && stream.live.name == "stream-1")
        #expect(stream.live.size == nil && stream.live.framerate == nil && stream.live.fallback == .hold)
        #expect(stream.live.editSize == nil && stream.live.carriesEdits)
        #expect(stream.settings.guidanceScale == nil && stream.live.sinks == [.gst(fragment: "fakesink")])
    }

    @Test func editsOfTheirOwnSize() throws {
        let text = Self.minimal.replacing("prompt: x", with: "prompt: x, edit_size: 320x240, propagation: false")
        let stream = try #require(try parse(text).streams.first)
        #expect(stream.live.editSize == .init(width: 320, height: 240) && !stream.live.carriesEdits)
    }

    @Test func anchorAndStability() throws {
        func stream(_ line: String) throws -> StreamRequest {
            try parse(Self.minimal.replacing("prompt: x", with: "prompt: x\(line)")).streams[0]
        }
        let usual = try stream("")
        #expect(!usual.anchorIsGiven && usual.settings.anchor == .none && usual.settings.anchorMaximumAge == 10)
        #expect(usual.settings.stability == EditSettings.usualStability)
        let rolling = try stream(", anchor: rolling, stability: 0.25")
        #expect(rolling.anchorIsGiven && rolling.settings.anchor == .rolling && rolling.settings.stability == 0.25)
        let aged = try stream(", anchor: {mode: rolling, max_age: 2.5 s}, stability: 0")
        #expect(aged.anchorIsGiven && aged.settings.anchorMaximumAge == 2.5 && aged.settings.stability == 0)
        #expect(try !stream(", anchor: {max_age: 500 ms}").anchorIsGiven)
        #expect(try stream(", anchor: none").anchorIsGiven)
    }

    @Test func reuse() throws {
        func settings(_ more: String) throws -> ReuseSettings {
            try parse(Self.minimal.replacing("prompt: x", with: "prompt: x, \(more)")).streams[0].settings.reuse
        }
        #expect(try settings("seed: 1") == ReuseSettings(isOn: true))
        #expect(try settings("precision: float") == ReuseSettings(isOn: false))
        #expect(try settings("reuse: {enabled: false}") == ReuseSettings(isOn: false))
        #expect(
            try settings("reuse: {min_psnr_db: 41.5, max_consecutive: 9}")
                == ReuseSettings(isOn: true, minPSNR: 41.5, maxConsecutive: 9))
    }

    @Test func theSourcesPicture() throws {
        let text = Self.minimal.replacing("prompt: x", with: "prompt: x, mirror: yes, rotate: 90, crop: '1,2,3,4'")
        let picture = try #require(try parse(text).streams.first).live.picture
        #expect(picture.isMirrored && picture.rotation == 90)
        #expect(picture.crop == .init(left: 1, top: 2, right: 3, bottom: 4))
    }

    @Test func modelsAreMeantFromTheFilesFolder() throws {
        let text = Self.minimal.replacing("prompt: x", with: "prompt: x, model: ../m")
        #expect(try ConfigurationFile.parse(text, path: "/a/b/f.yaml").streams[0].model == "/a/m")
    }

    @Test(arguments: [
        ("reuse: on", "f.yaml:5: 'streams[0].reuse' must hold keys: enabled, max_consecutive, min_psnr_db"),
        ("reuse: {enabled: maybe}", "f.yaml:5: streams[0].reuse.enabled is 'maybe'; it must be true or false"),
        ("reuse: {min_psnr_db: 5}", "f.yaml:5: streams[0].reuse.min_psnr_db is 5.0; it must be from 20.0 to 60.0 dB"),
        ("reuse: {max_consecutive: 0}", "f.yaml:5: streams[0].reuse.max_consecutive is 0; it must be from 1 to 1000"),
        ("reuse: {max_consecutive: 1.5}", "f.yaml:5: streams[0].reuse.max_consecutive is '1.5'; give a whole number"),
        ("reuse: {cap: 5}", "f.yaml:5: the key 'streams[0].reuse.cap' is unknown; allowed are enabled, "),
        (
            "frame_rate: 30",
            "f.yaml:5: the key 'streams[0].frame_rate' is unknown; allowed are anchor, crop, edit_size, fallback, framerate, "
        ),
        ("rotate: 45", "f.yaml:5: streams[0].rotate is '45'; it must be one of 0, 90, 180, 270"),
        ("mirror: maybe", "f.yaml:5: streams[0].mirror is 'maybe'; it must be true or false"),
        ("crop: 1,2", "f.yaml:5: streams[0].crop is '1,2'; give the pixels to leave out as LEFT,TOP,RIGHT,BOTTOM"),
        (
            "framerate: 0",
            "f.yaml:5: streams[0].framerate is 0; it must be from 1 to 240 frames a second, for example 30"
        ),
        ("framerate: 1000", "f.yaml:5: streams[0].framerate is 1000; it must be from 1 to 240"),
        ("framerate: 30/0", "f.yaml:5: streams[0].framerate is '30/0'; "),
        ("framerate: [30]", "f.yaml:5: streams[0].framerate must be a single value"),
        (
            "latency_budget: 3 ms",
            "f.yaml:5: streams[0].latency_budget is 3 ms; at 240 frames a second it must be from 5 ms"
        ),
        ("latency_budget: -1", "f.yaml:5: streams[0].latency_budget is -1 ms; "),
        (
            "fallback: camera",
            "f.yaml:5: streams[0].fallback is 'camera'; it must be one of hold, placeholder, passthrough"
        ),
        ("weight: 0", "f.yaml:5: streams[0].weight is 0; it must be from 0.01 to 100"),
        (
            "anchor: middle",
            "f.yaml:5: streams[0].anchor is 'middle'; a live stream has no middle frame: use rolling or none"
        ),
        ("anchor: first", "f.yaml:5: streams[0].anchor is 'first'; it must be one of none, rolling"),
        ("anchor: {max_age: 0}", "f.yaml:5: streams[0].anchor.max_age is '0'; give a time from 0.5 s to 3600 s"),
        ("anchor: {age: 1}", "f.yaml:5: the key 'streams[0].anchor.age' is unknown; allowed are max_age, mode"),
        ("stability: 2", "f.yaml:5: streams[0].stability is '2'; give a number from 0 (off) to 1 (the most)"),
        ("weight: heavy", "f.yaml:5: streams[0].weight is 'heavy'; give a number"),
        ("size: 12", "f.yaml:5: streams[0].size is '12'; give width x height"),
        ("size: 63x64", "f.yaml:5: streams[0].size is 63x64, but width and height must be from 64"),
        ("edit_size: 512x383", "f.yaml:5: streams[0].edit_size is 512x383, but width and height must be even"),
        ("propagation: maybe", "f.yaml:5: streams[0].propagation is 'maybe'; it must be true or false"),
        ("precision: half", "f.yaml:5: streams[0].precision is 'half'; it must be one of int8, float"),
        ("seed: -1", "f.yaml:5: streams[0].seed is '-1'; give a whole number from 0"),
        ("guidance_scale: .nan", "f.yaml:5: streams[0].guidance_scale is '.nan'; give a number"),
        ("prompt: y", "f.yaml: the key 'prompt' is given twice; leave one"),
    ])
    func badLines(_ line: String, _ words: String) throws {
        let text = try #require(refusal(of: line))
        #expect(text.hasPrefix(words), "\(text)")
        #expect(!text.contains("\n"))
    }

    @Test func latencyIsComparedWithTheRate() {
        #expect(refusal(of: "{}")?.contains("not YAML") == true)
        let text = sentence {
            _ = try parse(Self.minimal.replacing("prompt: x", with: "prompt: x, framerate: 25, latency_budget: 39 ms"))
        }
        #expect(text?.contains("is 39 ms; at 25 frames a second it must be from 40 ms (one frame)") == true)
    }

    @Test(arguments: [
        ("", "f.yaml: the file must hold keys: cpu, streams"),
        ("- 1", "f.yaml:1: the file must hold keys: cpu, streams"),
        ("streams: []", "f.yaml: there are no streams"), ("cpu: {}", "f.yaml: there are no streams"),
        ("streams: 5", "f.yaml:1: streams must be a list"), ("streams: [5]", "f.yaml:1: 'streams[0]' must hold keys: "),
        ("streams: [{source: test:ball}]", "f.yaml: 'streams[0].prompt' is missing"),
        ("streams: [{source: test:ball, prompt: x}]", "f.yaml: 'streams[0].sinks' is missing"),
        ("streams: [{source: nowhere, sinks: gst:fakesink, prompt: x}]", "f.yaml:1: 'nowhere' is not a source"),
        (
            "streams: [{source: test:ball, sinks: [[]], prompt: x}]",
            "f.yaml:1: streams[0].sinks must be a list of texts"
        ),
        ("a: [", "f.yaml:"), ("video: 1", "f.yaml:1: the key 'video' is unknown; allowed are cpu, streams"),
        (
            "cpu: {budget: 300%}\n\(minimal)",
            "f.yaml:1: cpu.budget is 300%; it must be from 1% to 100% of all processors"
        ),
        ("cpu: {budget: 0}\n\(minimal)", "f.yaml:1: cpu.budget is 0%; "),
        ("cpu: {budget: half}\n\(minimal)", "f.yaml:1: cpu.budget is 'half'; give a part"),
        ("cpu: {threads: 0}\n\(minimal)", "f.yaml:1: cpu.threads is 0; it must be from 1 to 256"),
        ("cpu: {cores: 1}\n\(minimal)", "f.yaml:1: the key 'cpu.cores' is unknown; allowed are budget, threads"),
        (
            "streams: [{name: a, source: test:ball, sinks: gst:fakesink, prompt: x}, "
                + "{name: a, source: test:ball, sinks: gst:fakesink, prompt: x}]", "f.yaml: two streams are called 'a'"
        ),
    ])
    func badFiles(_ text: String, _ words: String) throws {
        let error = try #require(sentence { _ = try parse(text) })
        #expect(error.hasPrefix(words), "\(error)")
    }

    @Test func missingFile() {
        #expect(sentence { _ = try ConfigurationFile.read("/nowhere.yaml") }?.contains("'/nowhere.yaml'") == true)
    }

    @Test(arguments: [
        ("100 ms", 100.0), ("100ms", 100), ("0.1 s", 100), ("1s", 1000), ("66", 66), ("66.7 ms", 66.7),
    ])
    func times(_ text: String, _ milliseconds: Double) throws {
        #expect(try SettingText.latency(text, "x") == .milliseconds(milliseconds))
    }
}
