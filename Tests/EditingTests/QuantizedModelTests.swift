import Compute
import Foundation
import Frames
import Networks
import TestSupport
import Testing

@testable import Editing

/// The bundled models.
enum Nano {
    static func folder(_ name: String) throws -> ModelFolder {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try ModelFolder(path: root.appendingPathComponent("Models/\(name)").path)
    }
}

/// The bundled nano on integers against the same network in float.
@Suite struct QuantizedModelTests {
    private static let size = FrameSize(width: 128, height: 96)

    private func edited(_ model: EditingModel, _ prompt: String) throws -> StoredFrame {
        let session = try EditSession(model: model, settings: EditSettings(prompt: prompt), pool: testPool)
        try session.prepare(size: Self.size)
        return try StoredFrame(TestPicture(smooth: Self.size).view).edited(by: session)
    }

    /// 40 dB is what `movied model quantize` promises; a picture this small, seen by no calibration, comes near.
    @Test(arguments: ["leave it as it is", "make it a pencil drawing", "make it pop art", "make it a thermal image"])
    func staysNearTheFloats(_ prompt: String) throws {
        let integers = try EditingModel(Nano.folder("nano")), floats = try EditingModel(Nano.folder("nano-float16"))
        #expect(integers.precision == .int8 && floats.precision == .float)
        let psnr = StoredFrame.psnr([try edited(integers, prompt)], [try edited(floats, prompt)])
        #expect(psnr > 38 && psnr < 99, "\(psnr) dB")
    }

    @Test func int8WeightsMultiplyOut() throws {
        let multiplied = try EditingModel(Nano.folder("nano"), precision: .float)
        #expect(multiplied.precision == .float)
        let prompt = "make it night", floats = try EditingModel(Nano.folder("nano-float16"))
        #expect(StoredFrame.psnr([try edited(multiplied, prompt)], [try edited(floats, prompt)]) > 40)
    }

    @Test func integersNeedAQuantizedFolder() throws {
        let folder = try Nano.folder("nano-float16")
        let said = sentence { _ = try EditingModel(folder, precision: .int8) }
        #expect(said?.contains("is not quantized (no quantization.json)") == true)
    }

    /// Every prompt of the list is one that the tokenizer takes whole.
    @Test func promptsAreListed() throws {
        let folder = try Nano.folder("nano")
        let text = try String(contentsOfFile: "\(folder.path)/prompts.txt", encoding: .utf8)
        let model = try EditingModel(folder)
        let prompts = text.split(separator: "\n").map(String.init)
        #expect(prompts.count == 14)
        for prompt in prompts { #expect(model.encode(prompt: prompt, pool: testPool).truncatedTokens == 0) }
    }
}
