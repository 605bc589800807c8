import Tensors

extension Graph {
    /// This graph with the layers of `quantization` on integers, and what lies between them on 8-bit levels where nobody
    /// needs the floats. Inputs, outputs and stages keep their names.
    public func quantized(_ quantization: Quantization) -> Graph {
        Lowering(self, quantization).lower()
    }
}

/// Rewrites a float graph into one that computes on integers where the quantization says so.
///
/// Every value is wanted as levels, as floats or both, depending on who reads it; a step that makes a value writes what is
/// wanted. Levels are made from floats at most once.
private final class Lowering {
    private let source: Graph
    private let target: Graph
    private let quantization: Quantization
    private let readers: [Int: [Step]]
    private let outputIDs: Set<Int>
    /// Values of the source graph that exist as levels in the target, by their number.
    private var levelsOf: [Int: Value] = [:]
    /// Values whose floats another value of the target holds: a folded step's result.
    private var hasFloats: Set<Int> = []
    private var floatsOf: [Int: Value] = [:]
    /// Steps that an earlier one has taken in, by the number of the value they make.
    private var folded: Set<Int> = []

    init(_ source: Graph, _ quantization: Quantization) {
        self.source = source
        self.quantization = quantization
        target = Graph(valuesOf: source)
        readers = source.readers
        outputIDs = Set(source.outputs.values.map(\.id))
        for value in source.inputs.values { hasFloats.insert(value.id) }
    }

    func lower() -> Graph {
        // Static steps come first: what is folded into a convolution may be recorded behind it.
        for step in source.steps where step.isStatic { keep(step) }
        var stage = 0
        for step in source.steps where !step.isStatic {
            while stage < step.stage {
                stage += 1
                target.beginStage(source.stageNames[stage])
            }
            if !folded.contains(step.output.id) { lower(step) }
        }
        return target
    }

    private func lower(_ step: Step) {
        switch step.operation {
        case .convolution(let convolution) where runsOnIntegers(step): lower(convolution, step)
        case .fromPixels where foldPixels(step): break
        case .groupNorm(let weights, let groups, let eps, let activation) where wantsOnlyLevels(step.output):
            let levels = levels(for: step.output)
            levelsOf[step.output.id] = target.groupNorm(
                floats(step.inputs[0]), weights, groups: groups, eps: eps,
                modulation: step.inputs.count > 1 ? step.inputs[1] : nil, activation: activation, levels)
        case .layerNorm(let weights, let eps) where wantsOnlyLevels(step.output):
            let levels = levels(for: step.output)
            levelsOf[step.output.id] = target.layerNorm(floats(step.inputs[0]), weights, eps: eps, levels)
        case .geglu where wantsOnlyLevels(step.output):
            levelsOf[step.output.id] = target.geglu(floats(step.inputs[0]), levels(for: step.output))
        case .attention(let heads, let scale, false) where !integerReaders(of: step.output).isEmpty:
            let inputs = step.inputs.map { floats($0) }
            _ = target.integerAttention(
                query: inputs[0], key: inputs[1], value: inputs[2], heads: heads, scale: scale,
                seesAnchors: inputs.count > 3, into: step.output)
            hasFloats.insert(step.output.id)
        case .resize where isEnlargedByReaders(step): break  // its readers take the smaller picture
        default: keep(step)
        }
    }

    /// Takes a float step over; its inputs must be floats in the values it was recorded with.
    private func keep(_ step: Step) {
        for input in step.inputs { _ = floats(input, inPlace: true) }
        target.append(step)
        hasFloats.insert(step.output.id)
    }

    // What readers want.

    private func runsOnIntegers(_ step: Step) -> Bool {
        guard case .convolution(let c) = step.operation, !step.isStatic else { return false }
        guard quantization.layers[c.weights.name] != nil else { return false }
        let activations: Set<Activation> = [.identity, .relu]
        let hasResidual = step.inputs.count > 1
        return activations.contains(c.activation) && (!hasResidual || c.activateLast || c.activation == .identity)
    }

    /// A resize to twice the size that only 3x3 convolutions on integers read.
    private func isEnlargedByReaders(_ step: Step) -> Bool {
        guard case .resize = step.operation, let x = step.inputs.first?.shape, !outputIDs.contains(step.output.id)
        else { return false }
        guard step.output.shape == Shape(x.batch, 2 * x.height, 2 * x.width, x.channels) else { return false }
        return readers[step.output.id, default: []].allSatisfy { reader in
            guard case .convolution(let c) = reader.operation, runsOnIntegers(reader) else { return false }
            return c.weights.kernel == 3 && c.stride == 1 && c.padBefore == 1 && c.padAfter == 1
                && reader.inputs[0] == step.output && !reader.inputs.dropFirst().contains(step.output)
        }
    }

    /// Convolutions on integers that take `value`, or its enlargement, as their input.
    private func integerReaders(of value: Value) -> [Convolution] {
        readers[value.id, default: []].flatMap { reader -> [Convolution] in
            switch reader.operation {
            case .convolution(let c) where runsOnIntegers(reader) && reader.inputs[0] == value: return [c]
            case .resize where isEnlargedByReaders(reader): return integerReaders(of: reader.output)
            default: return []
            }
        }
    }

    private func wantsFloats(_ value: Value) -> Bool {
        if outputIDs.contains(value.id) { return true }
        return !readers[value.id, default: []].allSatisfy { reader in
            if case .resize = reader.operation { return isEnlargedByReaders(reader) }
            return runsOnIntegers(reader)  // as its input or, as levels too, as its residual
        }
    }

    private func wantsOnlyLevels(_ value: Value) -> Bool {
        !integerReaders(of: value).isEmpty && !wantsFloats(value)
    }

    /// How `value` is written for its readers.
    private func levels(for value: Value, _ quantizer: Quantizer? = nil) -> Levels {
        let readers = integerReaders(of: value)
        let border = readers.map { max($0.padBefore, $0.padAfter) }.max() ?? 0
        let own = readers.lazy.compactMap { self.quantization.layers[$0.weights.name] }.first
        return Levels(
            quantizer ?? own ?? Quantizer(scale: 1, zero: 0), channels: value.shape.channels, border: border)
    }

    // Values in both forms.

    /// The floats of a source value. `inPlace`: in the very value of that number, which recorded steps read.
    private func floats(_ value: Value, inPlace: Bool = false) -> Value {
        if hasFloats.contains(value.id) { return value }
        if let floats = floatsOf[value.id], !inPlace { return floats }
        guard let levels = levelsOf[value.id], let written = target.slots[levels.id].levels else { return value }
        let floats = target.dequantize(levels, written, into: inPlace ? value : nil)
        if inPlace { hasFloats.insert(value.id) } else { floatsOf[value.id] = floats }
        return floats
    }

    private func integers(_ value: Value) -> (Value, Levels) {
        if let known = levelsOf[value.id], let written = target.slots[known.id].levels { return (known, written) }
        let written = levels(for: value)
        let made = target.quantize(floats(value), written)
        levelsOf[value.id] = made
        return (made, written)
    }

    // Convolutions.

    private func lower(_ convolution: Convolution, _ step: Step) {
        var input = step.inputs[0], enlarges = false
        if let producer = producer(of: input), isEnlargedByReaders(producer) {
            input = producer.inputs[0]
            enlarges = true
        }
        let (x, levels) = integers(input)
        var task = convolution, result = step.output, modulation: Value?
        if let (modulate, activation) = foldableModulation(step, convolution) {
            folded.insert(modulate.output.id)
            task = convolution.with(activation: activation)
            modulation = modulate.inputs[1]
            result = modulate.output
        }
        let residual = step.inputs.count > 1 ? residual(step.inputs[1]) : nil
        let pixels = step.inputs.count == 1 && modulation == nil ? pixelTail(result, task) : nil
        let outputLevels =
            pixels != nil
            ? Levels(.unitPixels, channels: result.shape.channels, border: 0)
            : wantsOnlyLevels(result) ? self.levels(for: result) : nil
        let made = target.integerConvolution(
            IntegerConvolution(
                convolution: task, levels: levels, outputLevels: outputLevels, residualLevels: residual?.levels,
                enlarges: enlarges),
            x, residual: residual?.value, modulation: modulation, into: outputLevels == nil ? result : nil)
        if let pixels, let outputLevels {
            finish(pixels, made, outputLevels)
        } else if outputLevels != nil {
            levelsOf[result.id] = made
        } else {
            hasFloats.insert(result.id)
        }
    }

    private func producer(of value: Value) -> Step? { producers[value.id] }
    private lazy var producers = Dictionary(uniqueKeysWithValues: source.steps.map { ($0.output.id, $0) })

    private func residual(_ value: Value) -> (value: Value, levels: Levels?) {
        if !hasFloats.contains(value.id), let known = levelsOf[value.id], let written = target.slots[known.id].levels {
            return (known, written)
        }
        return (floats(value), nil)
    }

    /// The modulation by a static value that alone reads a convolution's result: it becomes part of the convolution.
    private func foldableModulation(_ step: Step, _ convolution: Convolution) -> (Step, Activation)? {
        guard let reader = soleReader(of: step.output), case .modulate(let activation) = reader.operation,
            reader.inputs[0] == step.output, step.inputs.count == 1, convolution.activation == .identity,
            [.identity, .relu].contains(activation), source.slots[reader.inputs[1].id].isStatic,
            reader.inputs[1].shape.batch == 1
        else { return nil }
        return (reader, activation)
    }

    private func soleReader(of value: Value) -> Step? {
        guard let all = readers[value.id], all.count == 1, !outputIDs.contains(value.id) else { return nil }
        return all[0]
    }

    // Pixels in and out.

    /// Pixels, halved into 0...1 and folded into channels, are levels already.
    private func foldPixels(_ step: Step) -> Bool {
        guard let halve = soleReader(of: step.output), case .affine(0.5, 0.5) = halve.operation else { return false }
        var last = halve.output, block = 1
        if let fold = soleReader(of: last), case .pixelUnshuffle(let size) = fold.operation {
            last = fold.output
            block = size
            folded.insert(fold.output.id)
        }
        guard wantsOnlyLevels(last) else {
            folded.remove(last.id)
            return false
        }
        folded.insert(halve.output.id)
        levelsOf[last.id] = target.unshufflePixels(
            step.inputs[0], block: block, levels(for: last, .unitPixels))
        return true
    }

    /// What follows a convolution whose result becomes pixels and nothing else.
    private struct PixelTail {
        let name: String
        let block: Int
    }

    private func pixelTail(_ result: Value, _ convolution: Convolution) -> PixelTail? {
        guard convolution.activation == .identity, var reader = soleReader(of: result) else { return nil }
        var block = 1, steps: [Step] = []
        if case .pixelShuffle(let size) = reader.operation, let next = soleReader(of: reader.output) {
            block = size
            steps.append(reader)
            reader = next
        }
        guard case .affine(2, -1) = reader.operation, let last = soleReader(of: reader.output),
            case .toPixels = last.operation,
            let name = source.outputs.first(where: { $0.value == last.output })?.key
        else { return nil }
        folded.formUnion((steps + [reader, last]).map(\.output.id))
        return PixelTail(name: name, block: block)
    }

    private func finish(_ tail: PixelTail, _ x: Value, _ levels: Levels) {
        target.output(tail.name, target.shufflePixels(x, levels, block: tail.block))
    }
}
