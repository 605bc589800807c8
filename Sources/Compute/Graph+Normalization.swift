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
        return recordPhases(
            "groupnorm \(channels)", .groupNorm(weights, groups: groups, eps: eps, activation: activation),
            from: [x] + (modulation.map { [$0] } ?? []), shape: x.shape, weights: weights.arrays, scratch: norm.scratch
        ) { context, result in
            let input = context[x], output = context[result], numbers = modulation.map { context[$0] }
            let statistics = norm.bind(input, modulation: numbers, context)
            let normalize: WorkerPool.Body = { index, _ in
                let picture = index / tiles, first = index % tiles * tilePositions
                let offset = (picture * area + first) * channels, scale = statistics.affine + picture * 2 * channels
                movie_channel_affine_f32(
                    output + offset, input + offset, min(tilePositions, area - first), channels, scale,
                    scale + channels, activation.kernel)
            }
            return {
                statistics.run()
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
        return recordTiles(name, operation, from: [x], shape: shape, weights: weights, tiles: tiles) {
            context, result in
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

    /// Floats of worker 0's private memory: doubles, sums and squares of every tile; then the scales and shifts.
    var scratch: Int { shape.batch * (sumsEach + 2 * shape.channels) }

    /// `affine`: scales, then shifts, of every picture, once `run` has returned.
    func bind(
        _ input: UnsafePointer<Float>, modulation: UnsafePointer<Float>?, _ context: StepContext
    ) -> (affine: UnsafeMutablePointer<Float>, run: () -> Void) {
        let channels = shape.channels, area = shape.area, batch = shape.batch, tiles = tiles
        let partial = UnsafeMutableRawPointer(context.scratch(0)).assumingMemoryBound(to: Double.self)
        let affine = context.scratch(0) + batch * sumsEach
        let sum: WorkerPool.Body = { index, _ in
            let first = index % tiles * tilePositions, sums = partial + index * 2 * channels
            sums.update(repeating: 0, count: 2 * channels)
            movie_channel_sums_f32(
                input + (index / tiles * area + first) * channels, min(tilePositions, area - first), channels, sums,
                sums + channels)
        }
        let run = {
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
        return (affine, run)
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
