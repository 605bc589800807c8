import Frames
import Tensors
import TestSupport
import Testing

@testable import Compute
@testable import Editing
@testable import Networks

/// Runs of some positions alone, against whole runs, bit by bit.
@Suite struct PartialRunTests {
    private let model: EditingModel
    init() throws { model = try EditingModel(Nano.folder("nano"), precision: .int8) }

    private func frame(
        _ model: EditingModel, _ size: FrameSize, prompt: String = "make it a pencil drawing"
    ) -> FramePlan {
        let encoded = EncodedPrompt(prompt, model: model, pool: testPool)
        let plan = FramePlan(model: model, size: size, tokens: encoded.tokens, pool: testPool, reuses: true)
        plan.set(encoded, EditSettings(prompt: prompt), model: model)
        return plan
    }

    private func runPartially(_ plan: Plan) {
        plan.mask?.apply()
        for index in plan.stages.indices { plan.run(plan.stages[index], isPartial: true) }
    }

    /// Marks cells by a seed: none, all, or some.
    private func mark(_ plan: Plan, every: Int, seed: Int) throws {
        let cells = try #require(plan.mask).cells
        for index in cells.indices { cells[index] = every > 0 && (index * 7 + seed) % every == 0 ? 1 : 0 }
    }

    /// What is computed again on the same frame comes out the same; garbage or a stale neighbour would not.
    @Test(arguments: [(128, 96), (70, 66), (104, 72)], [1, 2, 5, 23])
    func theSameFrameGivesTheSameBits(_ size: (width: Int, height: Int), _ every: Int) throws {
        let planned = frame(model, FrameSize(width: size.width, height: size.height)), plan = planned.plan
        planned.load(TestPicture(pattern: 3, size: planned.size).view)
        plan.run()
        let whole = Array(plan.pixels(ofOutput: "edited"))
        for seed in 0..<3 {
            try mark(plan, every: every, seed: seed)
            runPartially(plan)
            #expect(Array(plan.pixels(ofOutput: "edited")) == whole, "cells \(every) apart, from \(seed)")
        }
    }

    /// Batches of three and steps that only run whole.
    @Test func threePassesGiveTheSameBits() throws {
        let copy = try FixtureCopy("whole-editor")
        try copy.edit("unet/config.json", ["guidance_embed_dim": nil])
        let planned = frame(try EditingModel(ModelFolder(path: copy.path)), FrameSize(width: 64, height: 64))
        planned.load(TestPicture(pattern: 3, size: planned.size).view)
        planned.plan.run()
        let whole = Array(planned.plan.pixels(ofOutput: "edited"))
        try mark(planned.plan, every: 5, seed: 1)
        runPartially(planned.plan)
        #expect(Array(planned.plan.pixels(ofOutput: "edited")) == whole)
    }

    /// Without attention and group norms a change reaches only so far: with that halo, a partial run is exact. In nano's
    /// autoencoder that is 120 pixels up and to the left, 128 down and to the right: counted layer by layer from a cell of 8
    /// pixels. What part of it is seen depends on the weights.
    @Test(arguments: [(0, 0), (120, 88), (304, 176)]) func aFarHaloIsExact(_ place: (x: Int, y: Int)) throws {
        let size = FrameSize(width: 320, height: 192)
        let old = TestPicture(pattern: 3, size: size), new = TestPicture(pattern: 3, size: size)
        let base = new.mutableView.base.assumingMemoryBound(to: UInt8.self)
        for row in place.y..<place.y + 8 {
            for byte in 3 * place.x..<3 * (place.x + 8) { base[row * new.stride + byte] ^= 0x55 }
        }
        let partial = try autoencoder(size), whole = try autoencoder(size)
        _ = partial.pixels(ofInput: "pixels").update(from: old.pixels)
        partial.run()
        _ = partial.pixels(ofInput: "pixels").update(from: new.pixels)
        let mask = try #require(partial.mask)
        for index in mask.cells.indices { mask.cells[index] = 0 }
        mask.cells[place.y / 8 * mask.columns + place.x / 8] = 1
        let before = Array(partial.pixels(ofOutput: "edited")), operations = partial.executedOperations
        runPartially(partial)
        _ = whole.pixels(ofInput: "pixels").update(from: new.pixels)
        whole.run()
        let result = Array(partial.pixels(ofOutput: "edited")), exact = Array(whole.pixels(ofOutput: "edited"))
        #expect(result != before)
        let different = zip(result, exact).count { $0 != $1 }
        #expect(different == 0, "of \(exact.count) bytes")
        #expect(partial.executedOperations - operations < whole.operations)
    }

    /// The autoencoder alone, on integers: frame to frame without the UNet.
    private func autoencoder(_ size: FrameSize) throws -> Plan {
        let folder = try Nano.folder("nano"), graph = Graph()
        let pixels = graph.pixelInput("pixels", Shape(1, size.height, size.width, 3))
        let (latents, features) = try folder.encoder()(graph, pixels)
        let conditioning = graph.input("conditioning", Shape(1, 1, 1, 192), isStatic: true)
        graph.pixelOutput(
            "edited", try folder.decoder()(graph, latents, features: features, conditioning: conditioning))
        let quantization = try #require(try folder.quantization(for: .int8))
        let plan = Plan(
            graph.quantized(quantization), pool: testPool, partialFor: "pixels", halo: .init(fine: 16, deep: 16))
        plan.prepare()
        return plan
    }

    @Test func nothingMarkedIsNoWork() throws {
        let planned = frame(model, FrameSize(width: 64, height: 64)), plan = planned.plan
        planned.load(TestPicture(pattern: 3, size: planned.size).view)
        plan.run()
        let whole = Array(plan.pixels(ofOutput: "edited")), before = plan.executedOperations
        planned.load(TestPicture(pattern: 4, size: planned.size).view)
        try mark(plan, every: 0, seed: 0)
        runPartially(plan)
        #expect(Array(plan.pixels(ofOutput: "edited")) == whole && plan.executedOperations == before)
    }

    @Test func workIsCounted() throws {
        let planned = frame(model, FrameSize(width: 256, height: 192)), plan = planned.plan
        plan.run()
        #expect(plan.executedOperations == plan.operations)
        try mark(plan, every: 1, seed: 0)
        runPartially(plan)
        #expect(plan.executedOperations == 2 * plan.operations)
        let cells = try #require(plan.mask).cells
        for index in cells.indices { cells[index] = index == 100 ? 1 : 0 }
        runPartially(plan)
        let one = plan.executedOperations - 2 * plan.operations
        #expect(one > 0 && one < plan.operations / 50, "\(one) of \(plan.operations)")
    }

    @Test func whatIsNotHeldIsRunWhole() throws {
        let planned = frame(model, FrameSize(width: 64, height: 64)), plan = planned.plan
        #expect(!plan.holdsActivations)
        try mark(plan, every: 0, seed: 0)
        runPartially(plan)
        #expect(plan.executedOperations == plan.operations && plan.holdsActivations)
        plan.run(plan.stages[0], isPartial: true, shouldStop: { true })
        #expect(!plan.holdsActivations)
        plan.run()
        #expect(plan.holdsActivations)
        plan.prepare()
        #expect(!plan.holdsActivations)
    }

    /// A mark is found at every resolution, in pictures that are no whole number of cells.
    @Test(arguments: [1, 2, 4, 8, 16, 32]) func regionsCoverTheMarks(_ scale: Int) {
        let height = 90, width = 107, rows = (height + 7) / 8, columns = (width + 7) / 8
        let region = Region(
            height: (height + scale - 1) / scale, width: (width + scale - 1) / scale, scale: scale, halo: 0)
        for cell in [0, 5, columns - 1, rows * columns - 1, 47] {
            var cells = [UInt8](repeating: 0, count: rows * columns)
            cells[cell] = 1
            region.list(cells, rows: rows, columns: columns, cell: 8)
            var wanted: Set<Int> = []
            for y in cell / columns * 8..<min(height, cell / columns * 8 + 8) {
                for x in cell % columns * 8..<min(width, cell % columns * 8 + 8) {
                    wanted.insert(y / scale * region.width + x / scale)
                }
            }
            let listed = (0..<region.count).map { region.index($0) }
            #expect(Set(listed).isSuperset(of: wanted) && listed.count <= wanted.count + (8 / min(8, scale)) * 8)
            var inRuns = 0
            for tile in 0..<region.tiles {
                for run in region.runs(ofTile: tile) { inRuns += region[run: run].count }
            }
            #expect(inRuns == region.count)
        }
    }
}
