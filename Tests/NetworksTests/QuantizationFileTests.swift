import Compute
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Networks

/// quantization.json and int8 weights, whole and damaged.
@Suite struct QuantizationFileTests {
    private let folder = TemporaryFolder()

    /// The fixture `whole-editor` with all layers on integers.
    private func quantized() throws -> ModelFolder {
        let source = try ModelFolder(path: "\(fixtureFolder)/whole-editor")
        let model = try EditingModel(source)
        let names = model.frameGraph(height: 64, width: 64, tokens: 16).quantizableLayers
        let layer = QuantizationFile.Layer(Quantizer(covering: -4...4), psnr: 50)
        let file = QuantizationFile(
            layers: Dictionary(names.map { ($0, layer) }, uniquingKeysWith: { first, _ in first }), floatLayers: [:],
            calibration: .init(clips: ["a.mkv"], frames: 1, prompts: ["x"], width: 64, height: 64), psnr: 44)
        let path = folder.file("int8")
        try QuantizedFolder(of: source).write(to: path, file)
        return try ModelFolder(path: path)
    }

    @Test func writtenFoldersAreModels() throws {
        let folder = try quantized()
        let model = try EditingModel(folder)
        #expect(model.precision == .int8)
        #expect(try folder.weights(.unet).typeNames.contains("I8"))
        let file = try QuantizationFile(path: folder.quantizationPath)
        #expect(file.psnr == 44 && file.calibration.clips == ["a.mkv"] && file.layers["unet.conv_in"]?.psnr == 50)
        #expect(!FileManager.default.fileExists(atPath: folder.path + ".partial"))
        let again = sentence { try QuantizedFolder(of: folder).write(to: folder.path, file) }
        #expect(again?.contains("is there already") == true)
    }

    /// Weights of the written folder are the float ones within half a step.
    @Test func weightsAreRounded() throws {
        let folder = try quantized()
        let name = "conv_in.weight"
        let floats = try #require(try ModelFolder(path: "\(fixtureFolder)/whole-editor").weights(.unet)[name]).floats()
        let store = try folder.weights(.unet)
        let whole = try #require(store[name]).floats(), scales = try #require(store[name + "_scale"]).floats()
        let width = floats.count / scales.count
        for index in floats.indices {
            #expect(abs(floats[index] - whole[index] * scales[index / width]) <= scales[index / width] * 0.5001)
        }
    }

    @Test(arguments: [
        ("hello", "it is not the JSON"), ("{}", " is missing"),
        (
            "{\"version\": 2, \"layers\": {\"a\": {\"input_scale\": 1, \"input_zero_point\": 0}}, \"float_layers\": {}, "
                + "\"calibration\": {\"clips\": [], \"frames\": 1, \"prompts\": [], \"width\": 1, \"height\": 1}}",
            "version is 2"
        ),
    ])
    func damagedFiles(_ text: String, _ words: String) throws {
        let folder = try quantized()
        try text.write(toFile: folder.quantizationPath, atomically: false, encoding: .utf8)
        let said = try #require(sentence { _ = try EditingModel(folder) })
        #expect(said.contains(words) && said.contains("quantization.json"), "\(said)")
    }

    @Test(arguments: [
        ("input_scale", "0", "must be positive and finite"), ("input_scale", "-1", "must be positive and finite"),
        ("input_scale", "1e999", "quantize the model again"), ("input_scale", "\"x\"", "has the wrong type"),
        ("input_zero_point", "256", "must be 0 to 255"), ("input_zero_point", "-1", "must be 0 to 255"),
        ("input_zero_point", "null", "quantize the model again"),
    ])
    func badNumbers(_ key: String, _ value: String, _ words: String) throws {
        let folder = try quantized()
        var text = try String(contentsOfFile: folder.quantizationPath, encoding: .utf8)
        let range = try #require(text.range(of: "\"\(key)\" : [^,\n]*", options: .regularExpression))
        text.replaceSubrange(range, with: "\"\(key)\" : \(value)")
        try text.write(toFile: folder.quantizationPath, atomically: false, encoding: .utf8)
        let said = try #require(sentence { _ = try EditingModel(folder) })
        #expect(said.contains(words), "\(said)")
    }

    @Test(arguments: [Float(0), -1, .nan, .infinity]) func badWeightScales(_ value: Float) throws {
        let said = try sentenceAfter { name, values in
            name.hasSuffix("conv_in.weight_scale") ? [value] + values.dropFirst() : values
        }
        #expect(said.contains("conv_in.weight_scale holds") && said.contains("positive and finite"), "\(said)")
    }

    @Test func missingWeightScales() throws {
        let said = try sentenceAfter { name, values in name.hasSuffix("conv_in.weight_scale") ? nil : values }
        #expect(said.contains("tensor conv_in.weight_scale is missing"), "\(said)")
    }

    /// What loading says after the floats of the UNet's file were changed; nil removes a tensor.
    private func sentenceAfter(_ change: (String, [Float]) -> [Float]?) throws -> String {
        let folder = try quantized()
        let store = try folder.weights(.unet)
        var sources: [TensorSource] = []
        for name in store.names.sorted() {
            let tensor = try #require(store[name])
            guard tensor.type == .float32 else {
                sources.append(TensorSource(tensor))
                continue
            }
            guard let values = change(name, tensor.floats()) else { continue }
            sources.append(TensorSource(NamedTensor(name: name, shape: tensor.shape, values: values)))
        }
        try writeSafeTensors(
            sources: sources, to: "\(folder.path)/unet/diffusion_pytorch_model.safetensors")
        return try #require(sentence { _ = try EditingModel(folder) })
    }
}
