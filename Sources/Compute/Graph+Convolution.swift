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
        let kernel = weights.kernel
        let before = padding ?? kernel / 2, after = padEnd ?? before
        let height = (x.shape.height + before + after - kernel) / stride + 1
        let width = (x.shape.width + before + after - kernel) / stride + 1
        let shape = Shape(x.shape.batch, height, width, weights.outputs)
        var patches = movie_patches()
        patches.height = x.shape.height
        patches.width = x.shape.width
        patches.channels = weights.inputs
        patches.kernel = kernel
        patches.stride = stride
        patches.pad_top = before
        patches.pad_left = before
        patches.out_width = width
        return product(
            ProductTask(
                weights: weights, patches: kernel == 1 && stride == 1 ? nil : patches, inputArea: x.shape.area,
                area: shape.area, activation: activation, activateLast: activateLast),
            x, residual, shape: shape)
    }

    /// A linear layer on every position; then activation and residual.
    public func linear(
        _ x: Value, _ weights: ConvolutionWeights, activation: Activation = .identity, residual: Value? = nil
    ) -> Value {
        convolution(x, weights, padding: 0, activation: activation, residual: residual)
    }

    private func product(_ task: ProductTask, _ x: Value, _ residual: Value?, shape: Shape) -> Value {
        let depth = task.depth, outputs = task.weights.outputs
        let rows = task.tileRows
        let tilesEach = (task.area + rows - 1) / rows
        let tiles = tilesEach * shape.batch
        return recordTiles(
            "conv\(task.weights.kernel)x\(task.weights.kernel) \(task.weights.inputs)->\(outputs)",
            from: [x] + (residual.map { [$0] } ?? []), shape: shape, weights: task.weights.arrays,
            operations: shape.positions * depth * outputs, scratch: task.patches == nil ? 0 : rows * depth, tiles: tiles
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

/// One matrix product [positions, depth] x [depth, outputs], cut into tiles of positions.
private struct ProductTask {
    let weights: ConvolutionWeights
    let patches: movie_patches?
    let inputArea: Int
    let area: Int
    let activation: Activation
    let activateLast: Bool

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
