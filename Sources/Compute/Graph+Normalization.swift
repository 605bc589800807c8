import CKernels
import Glibc
import Tensors

/// Positions a tile of an elementwise or normalizing step.
let tilePositions = 512

extension Graph {
    /// GroupNorm over `groups` of channels, then optionally `* (1 + scale) + shift`, then an activation.
    ///
    /// - Parameters:
    ///   - modulation: [batch, 1, 1, 2 * channels], the scales first, then the shifts (`scale_shift` in diffusers).
    ///   - eps: added to the variance; positive.
    public func groupNorm(
        _ x: Value, _ weights: NormalizationWeights, groups: Int, eps: Float, modulation: Value? = nil,
        activation: Activation = .identity
    ) -> Value {
        let area = x.shape.area, channels = x.shape.channels, batch = x.shape.batch
        let tiles = (area + tilePositions - 1) / tilePositions
        let norm = GroupNormStatistics(x.shape, weights, groups: groups, eps: eps)
        let affine = state(norm.affine)
        let partial = { (result: Value) in
            PartialStep.positions(x.shape) { context in
                let input = context[x], output = context[result], affine = context[affine]
                return { first, count in
                    let scale = affine + first / area * 2 * channels
                    movie_channel_affine_f32(
                        output + first * channels, input + first * channels, count, channels, scale, scale + channels,
                        activation.kernel)
                }
            }
        }
        return recordPhases(
            "groupnorm \(channels)", .groupNorm(weights, groups: groups, eps: eps, activation: activation),
            from: [x] + (modulation.map { [$0] } ?? []), shape: x.shape, weights: weights.arrays,
            scratch: norm.scratch, partial: partial, state: affine
        ) { context, result in
            let input = context[x], output = context[result], numbers = modulation.map { context[$0] }
            let affine = context[affine]
            let statistics = norm.bind(input, modulation: numbers, affine: affine, context)
            let normalize: WorkerPool.Body = { index, _ in
                let picture = index / tiles, first = index % tiles * tilePositions
                let offset = (picture * area + first) * channels, scale = affine + picture * 2 * channels
                movie_channel_affine_f32(
                    output + offset, input + offset, min(tilePositions, area - first), channels, scale,
                    scale + channels, activation.kernel)
            }
            return {
                statistics()
                context.pool.parallelFor(batch * tiles, normalize)
            }
        }
    }

    /// LayerNorm over the channels of every position.
    public func layerNorm(_ x: Value, _ weights: NormalizationWeights, eps: Float) -> Value {
        let channels = x.shape.channels
        return perTile(
            "layernorm \(channels)", x, channels: channels, operation: .layerNorm(weights, eps: eps),
            weights: weights.arrays
        ) { input, output, rows in
            movie_layer_norm_f32(output, input, rows, channels, weights.gamma.pointer, weights.beta.pointer, eps)
        }
    }

    /// Records a step whose rows depend on the same rows of `x` only, cut into tiles.
    func perTile(
        _ name: String, _ x: Value, channels: Int, operation: Operation = .other, weights: [WeightArray] = [],
        _ body: @escaping (UnsafePointer<Float>, UnsafeMutablePointer<Float>, _ rows: Int) -> Void
    ) -> Value {
        let positions = x.shape.positions, inputChannels = x.shape.channels
        let tiles = (positions + tilePositions - 1) / tilePositions
        let shape = x.shape.with(channels: channels)
        let partial = { (result: Value) in
            PartialStep.positions(shape) { context in
                let input = context[x], output = context[result]
                return { first, count in body(input + first * inputChannels, output + first * channels, count) }
            }
        }
        return recordTiles(
            name, operation, from: [x], shape: shape, weights: weights, tiles: tiles, partial: partial
        ) { context, result in
            let input = context[x], output = context[result]
            return { tile, _ in
                let first = tile * tilePositions
                body(input + first * inputChannels, output + first * channels, min(tilePositions, positions - first))
            }
        }
    }
}

/// The first half of a GroupNorm: what it does to each channel of a picture, as one scale and one shift.
struct GroupNormStatistics {
    private let shape: Shape
    private let weights: NormalizationWeights
    private let groups: Int
    private let eps: Float
    private let tiles: Int

    init(_ shape: Shape, _ weights: NormalizationWeights, groups: Int, eps: Float) {
        self.shape = shape
        self.weights = weights
        self.groups = groups
        self.eps = eps
        tiles = (shape.area + tilePositions - 1) / tilePositions
    }

    private var sumsEach: Int { tiles * 4 * shape.channels }

    /// Floats of worker 0's private memory: doubles, sums and squares of every tile.
    var scratch: Int { shape.batch * sumsEach }

    /// Scales, then shifts, of every picture. Partial runs take those of the last full one.
    var affine: Shape { Shape(shape.batch, 1, 1, 2 * shape.channels) }

    /// Returns what fills `affine`.
    func bind(
        _ input: UnsafePointer<Float>, modulation: UnsafePointer<Float>?, affine: UnsafeMutablePointer<Float>,
        _ context: StepContext
    ) -> () -> Void {
        let channels = shape.channels, area = shape.area, batch = shape.batch, tiles = tiles
        let partial = UnsafeMutableRawPointer(context.scratch(0)).assumingMemoryBound(to: Double.self)
        let sum: WorkerPool.Body = { index, _ in
            let first = index % tiles * tilePositions, sums = partial + index * 2 * channels
            sums.update(repeating: 0, count: 2 * channels)
            movie_channel_sums_f32(
                input + (index / tiles * area + first) * channels, min(tilePositions, area - first), channels, sums,
                sums + channels)
        }
        return {
            context.pool.parallelFor(batch * tiles, sum)
            for picture in 0..<batch {
                let sums = partial + picture * tiles * 2 * channels, scale = affine + picture * 2 * channels
                addTiles(sums, tiles: tiles, count: 2 * channels)
                groupAffine(
                    sums, count: area, channels: channels, groups: groups, eps: eps, weights: weights,
                    scale: scale, shift: scale + channels)
                if let modulation { modulateAffine(scale, by: modulation + picture * 2 * channels, channels: channels) }
            }
        }
    }
}

/// Adds the numbers of all tiles to the first tile's.
private func addTiles(_ sums: UnsafeMutablePointer<Double>, tiles: Int, count: Int) {
    for tile in 1..<max(1, tiles) {
        for c in 0..<count { sums[c] += sums[tile * count + c] }
    }
}

/// Scales and shifts, the latter behind the former, followed by `* (1 + scale) + shift`.
private func modulateAffine(
    _ affine: UnsafeMutablePointer<Float>, by numbers: UnsafePointer<Float>, channels: Int
) {
    let shift = affine + channels
    for c in 0..<channels {
        affine[c] *= 1 + numbers[c]
        shift[c] = shift[c] * (1 + numbers[c]) + numbers[channels + c]
    }
}

/// Turns sums into one scale and shift a channel.
private func groupAffine(
    _ sums: UnsafePointer<Double>, count: Int, channels: Int, groups: Int, eps: Float, weights: NormalizationWeights,
    scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>
) {
    let width = channels / groups
    let elements = Double(count * width)
    for group in 0..<groups {
        let members = group * width..<(group + 1) * width
        var sum = 0.0, square = 0.0
        for c in members {
            sum += sums[c]
            square += sums[channels + c]
        }
        let mean = sum / elements
        let factor = 1 / sqrt(max(0, square / elements - mean * mean) + Double(eps))
        for c in members {
            scale[c] = weights.gamma.pointer[c] * Float(factor)
            shift[c] = weights.beta.pointer[c] - Float(mean) * scale[c]
        }
    }
}
