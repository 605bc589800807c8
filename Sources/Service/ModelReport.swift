import Frames
import Networks

/// What `movied model info` tells: parts, parameters, and the work of a frame at one size.
public enum ModelReport {
    /// The lines to print. Throws when a part that is there cannot be read.
    public static func lines(folder: ModelFolder, size: FrameSize) throws -> [String] {
        let missing = ModelFolder.Part.allCases.filter { !folder.has($0) }.map(\.rawValue)
        guard missing.count < ModelFolder.Part.allCases.count else {
            throw ServiceError("\(folder.path) holds no part of a model: expected \(missing.joined(separator: ", "))")
        }
        var lines = [folder.path] + (try parameters(folder)) + (try work(folder, size))
        if folder.has(.unet) { lines.append(try guidance(folder)) }
        if !missing.isEmpty { lines.append("parts not in this folder: \(missing.joined(separator: ", "))") }
        return lines
    }

    private static func parameters(_ folder: ModelFolder) throws -> [String] {
        var table = TextTable(["part", "parameters", "stored as"])
        var total = 0
        for part in [ModelFolder.Part.unet, .autoencoder, .textEncoder] where folder.has(part) {
            let store = try folder.weights(part)
            total += store.parameterCount
            table.add([part.rawValue, millions(store.parameterCount), store.typeNames.joined(separator: ", ")])
        }
        table.add(["together", millions(total), ""])
        return table.lines()
    }

    /// GFLOP a frame by part; a multiply-add is two operations.
    private static func work(_ folder: ModelFolder, _ size: FrameSize) throws -> [String] {
        let factor = folder.has(.autoencoder) ? try folder.autoencoderConfiguration().factor : 8
        guard size.width % factor == 0, size.height % factor == 0, size.width >= 64, size.height >= 64 else {
            throw ServiceError(
                "the size is \(size); width and height must be multiples of \(factor) from 64, for example 512x384")
        }
        let work = try ModelWork(folder, height: size.height, width: size.width)
        guard !work.parts.isEmpty else { return [] }
        var table = TextTable(["a frame of \(size)", "GFLOP"])
        for part in work.parts {
            table.add([
                part.passes == 1 ? part.name : "\(part.name), a pass of \(part.passes)", gigaflop(part.operations),
            ])
        }
        table.add(["together", gigaflop(work.operations)])
        guard work.anchorMemory > 0 else { return table.lines() }
        let anchor = Double(work.anchorMemory) / 1_048_576
        return table.lines() + [
            "memory of an anchor frame \(anchor.text(2)) MiB; a rolling anchor takes two, \((2 * anchor).text(2)) MiB"
        ]
    }

    private static func guidance(_ folder: ModelFolder) throws -> String {
        let g = try folder.guidanceRanges()
        return "guidance scale \(range(g.guidanceScale)), default \(g.defaultGuidanceScale); "
            + "image guidance scale \(range(g.imageGuidanceScale)), default \(g.defaultImageGuidanceScale)"
    }

    private static func millions(_ count: Int) -> String { "\((Double(count) / 1e6).text(2)) M" }
    private static func gigaflop(_ operations: Int) -> String { (Double(operations) * 2 / 1e9).text(2) }
    private static func range(_ range: ClosedRange<Double>) -> String { "\(range.lowerBound) to \(range.upperBound)" }
}
