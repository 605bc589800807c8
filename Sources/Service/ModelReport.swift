import Compute
import Frames
import Networks

/// What `movied model info` tells: parts, parameters, and the work of a frame at one size.
public enum ModelReport {
    /// The lines to print. Throws when a part that is there cannot be read.
    public static func lines(folder: ModelFolder, size: FrameSize) throws -> [String] {
        var table = TextTable(["part", "parameters", "stored as"])
        var total = 0
        for part in [ModelFolder.Part.unet, .autoencoder, .textEncoder] where folder.has(part) {
            let store = try folder.weights(part)
            total += store.parameterCount
            table.add([part.rawValue, millions(store.parameterCount), store.typeNames.joined(separator: ", ")])
        }
        table.add(["together", millions(total), ""])
        var lines = ["\(folder.path)"] + table.lines()
        let missing = ModelFolder.Part.allCases.filter { !folder.has($0) }.map(\.rawValue)
        guard missing.isEmpty else {
            return lines + ["parts not in this folder: \(missing.joined(separator: ", "))"]
        }
        let model = try EditingModel(folder)
        lines += try work(model, size)
        let g = model.guidance
        lines.append(
            "guidance scale \(range(g.guidanceScale)), default \(g.defaultGuidanceScale); "
                + "image guidance scale \(range(g.imageGuidanceScale)), default \(g.defaultImageGuidanceScale)")
        return lines
    }

    /// GFLOP a frame by stage; a multiply-add is two operations.
    private static func work(_ model: EditingModel, _ size: FrameSize) throws -> [String] {
        guard size.width % model.factor == 0, size.height % model.factor == 0 else {
            throw ServiceError("the size is \(size); width and height must be multiples of \(model.factor) for this model")
        }
        let pool = WorkerPool(threads: 1)
        defer { pool.shutdown() }
        let tokens = model.tokens(of: model.encode(prompt: "size", pool: pool).states)
        let plan = Plan(model.frameGraph(height: size.height, width: size.width, tokens: tokens), pool: pool)
        var table = TextTable(["a frame of \(size)", "GFLOP"])
        for stage in plan.stages { table.add([stage.name, gigaflop(stage.operations)]) }
        table.add(["together", gigaflop(plan.operations)])
        return table.lines() + ["activations: \((Double(plan.memory) / 1_048_576).text(0)) MiB in float"]
    }

    private static func millions(_ count: Int) -> String { "\((Double(count) / 1e6).text(2)) M" }
    private static func gigaflop(_ operations: Int) -> String { (Double(operations) * 2 / 1e9).text(2) }
    private static func range(_ range: ClosedRange<Double>) -> String { "\(range.lowerBound) to \(range.upperBound)" }
}
