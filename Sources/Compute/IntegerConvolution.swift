import CKernels
import Glibc
import Tensors

/// A convolution on the integer kernels: 8-bit levels in, levels or floats out.
struct IntegerConvolution {
    let convolution: Convolution
    /// How the input is written.
    let levels: Levels
    /// How the output is written; nil for floats.
    let outputLevels: Levels?
    /// How the residual is written; nil for floats or none.
    let residualLevels: Levels?
    /// Whether the input is to be enlarged twice first (nearest neighbour).
    let enlarges: Bool

    var filters: [IntegerWeights] {
        enlarges ? convolution.weights.phases : [convolution.weights.integers]
    }

    func outputShape(_ x: Shape) -> Shape {
        enlarges
            ? Shape(x.batch, 2 * x.height, 2 * x.width, convolution.weights.outputs) : convolution.outputShape(x)
    }

    /// Multiply-adds that are done, padding of panels left out.
    func operations(_ x: Shape) -> Int {
        let output = outputShape(x)
        return output.positions * output.channels * filters[0].taps * convolution.weights.inputs
    }

    /// Fills in what the kernel needs for filter `index`; memory is added by `bind`.
    fileprivate func geometry(_ index: Int, _ x: Shape) -> movie_conv {
        let output = outputShape(x), filter = filters[index], scatter = enlarges ? 2 : 1
        var c = movie_conv()
        c.width = output.width / scatter
        c.area = output.area / (scatter * scatter)
        c.in_step = convolution.stride * levels.stride
        c.in_row = convolution.stride * levels.rowBytes(x)
        c.in_picture = levels.pictureBytes(x)
        c.depth = filter.depth
        c.weights = filter.packed
        c.channels = output.channels
        c.panel_channels = filter.panelChannels
        let memory = outputLevels ?? Levels(packed: .unitPixels, channels: output.channels)
        c.out_step = scatter * memory.stride
        c.out_row = scatter * memory.rowBytes(output)
        c.out_picture = memory.pictureBytes(output)
        c.out_kind = outputLevels == nil ? MOVIE_F32 : MOVIE_U8
        let extra = residualLevels ?? Levels(packed: .unitPixels, channels: output.channels)
        c.residual_step = scatter * extra.stride
        c.residual_row = scatter * extra.rowBytes(output)
        c.residual_picture = extra.pictureBytes(output)
        c.residual_kind = residualLevels == nil ? MOVIE_F32 : MOVIE_U8
        return c
    }

    /// Where taps begin, from what the first one reads. Taps of a row that lie behind each other are one long tap.
    fileprivate func taps(_ index: Int, _ x: Shape) -> (offsets: [Int], depth: Int) {
        let side = enlarges ? 2 : convolution.weights.kernel, depth = filters[index].depth
        if levels.stride == depth { return ((0..<side).map { $0 * levels.rowBytes(x) }, side * depth) }
        let offsets = (0..<side * side).map { $0 / side * levels.rowBytes(x) + $0 % side * levels.stride }
        return (offsets, depth)
    }

    /// Bytes from the picture's first position to what the first tap of the first output reads.
    fileprivate func inputOffset(_ index: Int, _ x: Shape) -> Int {
        let row = enlarges ? index / 2 - 1 : -convolution.padBefore
        let column = enlarges ? index % 2 - 1 : -convolution.padBefore
        return levels.offset(x, picture: 0, row: row) + column * levels.stride
    }

    fileprivate func outputOffset(_ index: Int, _ memory: Levels?, _ output: Shape) -> Int {
        let row = enlarges ? index / 2 : 0, column = enlarges ? index % 2 : 0
        guard let memory else { return (row * output.width + column) * output.channels }
        return memory.offset(output, picture: 0, row: row) + column * memory.stride
    }

    /// Scale and bias of every output, such that one fused multiply-add turns a sum of products into the result's unit:
    /// [scale..., bias...], each padded to whole panels.
    ///
    /// - Parameter modulation: scales and shifts, or shifts alone, of every channel.
    func epilogue(_ filter: IntegerWeights, modulation: UnsafePointer<Float>?, hasScales: Bool) -> [Float] {
        let outputs = convolution.weights.outputs, padded = filter.paddedOutputs
        var numbers = [Float](repeating: 0, count: 2 * padded)
        let unit = outputLevels?.quantizer ?? Quantizer(scale: 1, zero: 0)
        let bias = convolution.weights.bias?.pointer, scales = filter.scales
        // The residual's zero level is subtracted here once instead of at every position.
        let residualShift = residualLevels.map { -$0.quantizer.zero * $0.quantizer.scale } ?? 0
        for c in 0..<outputs {
            var scale = levels.quantizer.scale * scales[c], shift = bias?[c] ?? 0
            if let modulation {
                let factor = hasScales ? 1 + modulation[c] : 1
                scale *= factor
                shift = shift * factor + modulation[hasScales ? outputs + c : c]
            }
            numbers[c] = scale / unit.scale
            numbers[padded + c] = (shift + residualShift) / unit.scale + unit.zero
        }
        return numbers
    }

    /// Sums that make the input's zero level count as zero.
    fileprivate func start(_ filter: IntegerWeights) -> [Int32] {
        filter.sums.map { -Int32(levels.quantizer.zero) &* $0 }
    }

    fileprivate var residualScale: Float {
        (residualLevels?.quantizer.scale ?? 1) / (outputLevels?.quantizer.scale ?? 1)
    }

    fileprivate var low: Float {
        let zero = outputLevels?.quantizer.zero
        if convolution.activation == .relu { return zero ?? 0 }
        return zero == nil ? -.infinity : 0
    }
}

extension Graph {
    /// Records an integer convolution; then activation and residual.
    ///
    /// - Parameters:
    ///   - x: kept as levels.
    ///   - modulation: a static [1, 1, 1, channels] to add, or [1, 1, 1, 2 * channels]: x * (1 + scale) + shift, before
    ///     the activation.
    func integerConvolution(
        _ task: IntegerConvolution, _ x: Value, residual: Value?, modulation: Value?, into existing: Value? = nil
    ) -> Value {
        let shape = task.outputShape(x.shape)
        let numbers = modulation.map { foldModulation($0, task) }
        let inputs = [x] + [residual, numbers].compactMap { $0 }
        let weights: [any LoadableWeights] =
            task.filters + (task.convolution.weights.bias.map { [$0] } ?? [])
        return recordPhases(
            task.convolution.weights.name, from: inputs, shape: shape, levels: task.outputLevels,
            weights: weights, operations: task.operations(x.shape), into: existing,
            partial: { task.partial(x, residual: residual, numbers: numbers, $0) }
        ) { context, result in
            let runs = ConvolutionRun.all(task, x, residual: residual, numbers: numbers, result, context)
            let grid = TileGrid(runs[0], batch: shape.batch, threads: context.pool.width)
            let body: WorkerPool.Body = { tile, _ in
                runs[tile / grid.tiles].compute(grid, tile % grid.tiles)
            }
            let tiles = grid.tiles * runs.count
            let levels = task.outputLevels, memory = context.bytes(result)
            return {
                levels?.fillBorder(memory, shape)
                context.pool.parallelFor(tiles, body)
            }
        }
    }

    /// A static step: scales and biases that hold the modulation, for every filter.
    private func foldModulation(_ modulation: Value, _ task: IntegerConvolution) -> Value {
        let filters = task.filters
        let weights: [any LoadableWeights] =
            filters + (task.convolution.weights.bias.map { [$0] } ?? [])
        let count = filters.reduce(0) { $0 + 2 * $1.paddedOutputs }
        let hasScales = modulation.shape.channels == 2 * task.convolution.weights.outputs
        return record("fold modulation", from: [modulation], shape: Shape(1, 1, 1, count), weights: weights) {
            context, result in
            var target = context[result]
            for filter in filters {
                let numbers = task.epilogue(filter, modulation: context[modulation], hasScales: hasScales)
                target.update(from: numbers, count: numbers.count)
                target += numbers.count
            }
        }
    }
}

/// One filter of an integer convolution with its memory.
final class ConvolutionRun {
    let panels: Int
    let area: Int
    /// Bytes of all weights.
    let weightBytes: Int
    private let task: IntegerConvolution
    private let index: Int
    private let outputShape: Shape
    private let inputShape: Shape
    private let kernel: UnsafeMutablePointer<movie_conv>
    private let taps: UnsafeMutablePointer<Int>
    private let start: UnsafeMutablePointer<Int32>
    private let numbers: UnsafeMutablePointer<Float>
    private let padded: Int

    init(_ task: IntegerConvolution, _ index: Int, _ x: Shape) {
        self.task = task
        self.index = index
        inputShape = x
        outputShape = task.outputShape(x)
        let filter = task.filters[index]
        panels = filter.panels
        padded = filter.paddedOutputs
        weightBytes = padded * filter.taps * filter.depth
        kernel = .allocate(capacity: 1)
        var geometry = task.geometry(index, x)
        area = geometry.area
        let (offsets, depth) = task.taps(index, x)
        taps = .allocate(capacity: offsets.count)
        taps.initialize(from: offsets, count: offsets.count)
        start = .allocate(capacity: padded)
        start.initialize(from: task.start(filter), count: padded)
        numbers = .allocate(capacity: 2 * padded)
        numbers.initialize(
            from: task.epilogue(filter, modulation: nil, hasScales: false), count: 2 * padded)
        geometry.taps = UnsafePointer(taps)
        geometry.tap_count = offsets.count
        geometry.depth = depth
        geometry.start = UnsafePointer(start)
        geometry.residual_scale = task.residualScale
        geometry.low = task.low
        kernel.initialize(to: geometry)
    }

    /// Every filter of a convolution with its memory.
    static func all(
        _ task: IntegerConvolution, _ x: Value, residual: Value?, numbers: Value?, _ result: Value,
        _ context: StepContext
    ) -> [ConvolutionRun] {
        task.filters.indices.map { index in
            let run = ConvolutionRun(task, index, x.shape)
            run.point(
                input: context.bytes(x), output: context.bytes(result),
                residual: residual.map { context.bytes($0) },
                numbers: numbers.map { context[$0] + index * 2 * task.filters[index].paddedOutputs })
            return run
        }
    }

    deinit {
        kernel.deallocate()
        taps.deallocate()
        start.deallocate()
        numbers.deallocate()
    }

    /// `numbers`: folded scales and biases; nil for the layer's own.
    func point(
        input: UnsafeMutablePointer<UInt8>, output: UnsafeMutablePointer<UInt8>,
        residual: UnsafeMutablePointer<UInt8>?, numbers folded: UnsafeMutablePointer<Float>?
    ) {
        let numbers = folded ?? numbers
        kernel.pointee.scale = UnsafePointer(numbers)
        kernel.pointee.bias = UnsafePointer(numbers + padded)
        kernel.pointee.input = UnsafePointer(input + task.inputOffset(index, inputShape))
        let outputSize = task.outputLevels == nil ? 4 : 1, residualSize = task.residualLevels == nil ? 4 : 1
        kernel.pointee.output = UnsafeMutableRawPointer(
            output + task.outputOffset(index, task.outputLevels, outputShape) * outputSize)
        kernel.pointee.residual = residual.map {
            UnsafeRawPointer($0 + task.outputOffset(index, task.residualLevels, outputShape) * residualSize)
        }
    }

    fileprivate func compute(_ grid: TileGrid, _ tile: Int) {
        let positions = grid.positions(tile), panels = grid.panels(tile)
        movie_conv_u8s8(
            kernel, positions.lowerBound, positions.upperBound, panels.lowerBound, panels.upperBound)
    }

    func compute(_ region: Region, _ picture: Int, _ listed: Range<Int>, _ panels: Range<Int>) {
        movie_conv_u8s8_at(
            kernel, picture, region.positions + listed.lowerBound, listed.count, panels.lowerBound, panels.upperBound)
    }
}

/// How a convolution is cut: into blocks of positions, and where there are few of them into groups of panels, so that
/// every thread has some tiles and heavy weights are read by few.
private struct TileGrid {
    private let count: Int
    private let block: Int
    private let blocks: Int
    private let panelCount: Int
    private let panelGroup: Int
    private let groups: Int

    /// Positions of which the input stays near while all panels pass over it.
    private static let mostPositions = 768

    init(_ run: ConvolutionRun, batch: Int, threads: Int) {
        count = run.area * batch
        panelCount = run.panels
        let wanted = 4 * threads
        // Weights beyond the second-level cache are better read once per pass over many positions.
        let isHeavy = run.weightBytes > 1 << 19
        let most = isHeavy ? Self.mostPositions : 192
        let even = (count + wanted - 1) / wanted
        block = isHeavy ? min(count, most) : max(48, min(most, (even + 47) / 48 * 48))  // 48: whole tiles of any width
        blocks = (count + block - 1) / block
        let groupsWanted = max(1, (wanted + blocks - 1) / blocks)
        panelGroup = max(1, (run.panels + groupsWanted - 1) / groupsWanted)
        groups = (run.panels + panelGroup - 1) / panelGroup
    }

    var tiles: Int { blocks * groups }
    func positions(_ tile: Int) -> Range<Int> {
        let first = tile / groups * block
        return first..<min(count, first + block)
    }
    func panels(_ tile: Int) -> Range<Int> {
        let first = tile % groups * panelGroup
        return first..<min(panelCount, first + panelGroup)
    }
}
