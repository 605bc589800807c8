import CKernels
import COpenBLAS
import Tensors

extension Graph {
    /// A convolution with zero padding, as a matrix product over patches; then activation and residual.
    ///
    /// - Parameters:
    ///   - x: [batch, height, width, inputs].
    ///   - padding: zeros on every side; by default half the kernel. `padEnd` counts those below and on the right alone.
    ///   - residual: added to the result, which has its shape.
    ///   - activateLast: whether the activation comes after the residual.
    public func convolution(
        _ x: Value, _ weights: ConvolutionWeights, stride: Int = 1, padding: Int? = nil, padEnd: Int? = nil,
        activation: Activation = .identity, residual: Value? = nil, activateLast: Bool = false
    ) -> Value {
        let before = padding ?? weights.kernel / 2
        let convolution = Convolution(
            weights: weights, stride: stride, padBefore: before, padAfter: padEnd ?? before, activation: activation,
            activateLast: activateLast)
        return product(convolution, x, residual)
    }

    /// A linear layer on every position; then activation and residual.
    public func linear(
        _ x: Value, _ weights: ConvolutionWeights, activation: Activation = .identity, residual: Value? = nil
    ) -> Value {
        convolution(x, weights, padding: 0, activation: activation, residual: residual)
    }

    private func product(_ convolution: Convolution, _ x: Value, _ residual: Value?) -> Value {
        let shape = convolution.outputShape(x.shape)
        let task = ProductTask(convolution, input: x.shape, output: shape)
        let rows = task.tileRows, outputs = shape.channels
        let tilesEach = (task.area + rows - 1) / rows
        return recordTiles(
            convolution.weights.name, .convolution(convolution), from: [x] + (residual.map { [$0] } ?? []),
            shape: shape,
            weights: convolution.weights.arrays, operations: shape.positions * task.depth * outputs,
            scratch: task.patches == nil ? 0 : rows * task.depth, tiles: tilesEach * shape.batch
        ) { context, result in
            let input = context[x], output = context[result]
            let extra = residual.map { context[$0] }
            return { tile, worker in
                let picture = tile / tilesEach
                let first = tile % tilesEach * rows
                let last = min(task.area, first + rows)
                let offset = (picture * task.area + first) * outputs
                task.run(
                    input: input + picture * task.inputArea * task.weights.inputs, rows: first..<last,
                    output: output + offset, residual: extra.map { $0 + offset }, scratch: context.scratch(worker))
            }
        }
    }
}

/// A convolution with its sizes open; a linear layer is one with a kernel of 1.
struct Convolution {
    let weights: ConvolutionWeights
    let stride: Int
    /// Zeros above and on the left, below and on the right.
    let padBefore: Int
    let padAfter: Int
    let activation: Activation
    /// Whether the activation comes after the residual.
    let activateLast: Bool

    func with(activation: Activation) -> Convolution {
        Convolution(
            weights: weights, stride: stride, padBefore: padBefore, padAfter: padAfter, activation: activation,
            activateLast: activateLast)
    }

    func outputShape(_ x: Shape) -> Shape {
        func length(_ side: Int) -> Int { (side + padBefore + padAfter - weights.kernel) / stride + 1 }
        return Shape(x.batch, length(x.height), length(x.width), weights.outputs)
    }
}

/// One matrix product [positions, depth] x [depth, outputs], cut into tiles of positions.
private struct ProductTask {
    let weights: ConvolutionWeights
    let patches: movie_patches?
    let inputArea: Int
    let area: Int
    let activation: Activation
    let activateLast: Bool

    init(_ convolution: Convolution, input: Shape, output: Shape) {
        weights = convolution.weights
        activation = convolution.activation
        activateLast = convolution.activateLast
        inputArea = input.area
        area = output.area
        guard weights.kernel > 1 || convolution.stride > 1 else {
            patches = nil
            return
        }
        var patches = movie_patches()
        patches.height = input.height
        patches.width = input.width
        patches.channels = weights.inputs
        patches.kernel = weights.kernel
        patches.stride = convolution.stride
        patches.pad_top = convolution.padBefore
        patches.pad_left = convolution.padBefore
        patches.out_width = output.width
        self.patches = patches
    }

    var depth: Int { weights.inputs * weights.kernel * weights.kernel }

    /// Rows of a tile: its patches fit the second-level cache when they are thin; thick ones need enough rows to pay for
    /// packing the weights.
    var tileRows: Int {
        let wanted = depth <= 1024 ? max(128, 160_000 / depth) : max(256, 1_000_000 / depth)
        return min(area, wanted, max(32, (area + 3) / 4))
    }

    func run(
        input: UnsafePointer<Float>, rows: Range<Int>, output: UnsafeMutablePointer<Float>,
        residual: UnsafePointer<Float>?, scratch: UnsafeMutablePointer<Float>
    ) {
        var matrix = input + rows.lowerBound * depth
        if var patches {
            movie_patches_f32(scratch, input, &patches, rows.lowerBound, rows.upperBound)
            matrix = UnsafePointer(scratch)
        }
        let outputs = weights.outputs
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows.count), Int32(outputs), Int32(depth), 1, matrix,
            Int32(depth), weights.matrix.pointer, Int32(depth), 0, output, Int32(outputs))
        movie_epilogue_f32(
            output, rows.count, outputs, outputs, weights.bias?.pointer, residual, outputs, activation.kernel,
            activateLast ? 1 : 0)
    }
}
