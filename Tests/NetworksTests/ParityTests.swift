import Compute
import Networks
import Tensors
import TestSupport
import Testing

/// Whole networks against diffusers and transformers, on the fixtures of Training/reference/make_fixtures.py.
///
/// 1e-4 is a hundred times the rounding of float32 sums of this length, and a hundredth of what a wrong sign, a missing
/// bias or a transposed weight causes in these fixtures.
private let tolerance = 1e-4

@Suite struct ParityTests {
    static let pool = WorkerPool(threads: 2)

    @Test(arguments: fixtures("unet-"))
    func unet(_ name: String) throws { try check(name, .unet) }

    /// Cross-frame attention with one anchor frame (the paper), two (Rerender-A-Video) and three (Fairy).
    @Test(arguments: fixtures("anchor-"))
    func anchors(_ name: String) throws { try check(name, .unet) }

    @Test(arguments: fixtures("vae-"))
    func encoder(_ name: String) throws { try check(name, .encoder, files: "encoder-") }

    @Test(arguments: fixtures("vae-"))
    func decoder(_ name: String) throws { try check(name, .decoder, files: "decoder-") }

    @Test(arguments: fixtures("text-"))
    func textEncoder(_ name: String) throws { try check(name, .textEncoder) }

    private func check(_ name: String, _ part: PartRunner.Part, files: String = "") throws {
        let folder = "\(fixtureFolder)/\(name)"
        let inputs = try TensorStore(file: "\(folder)/\(files)inputs.safetensors")
        let outputs = try TensorStore(file: "\(folder)/\(files)outputs.safetensors")
        let results = try PartRunner(try ModelFolder(path: folder), pool: Self.pool).run(part, inputs: inputs)
        var compared = 0
        for result in results {
            guard let reference = outputs[result.name] else { continue }
            #expect(result.shape == reference.shape, "\(name) \(result.name)")
            let error = relativeError(result.values, reference.floats())
            #expect(error < tolerance, "\(name) \(result.name): relative error \(error)")
            compared += 1
        }
        #expect(compared == Array(outputs.names).count, "\(name): every reference output is compared")
    }
}
