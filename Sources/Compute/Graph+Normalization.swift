import CKernels
import Glibc
import Tensors

/// Positions a tile of an elementwise or normalizing step.
private let tilePositions = 512

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
        // Doubles in the scratch memory of worker 0: sums and squares of every tile, then the channels' scale and shift.
        let scratch = (tiles * 2 * channels) * 2 + 2 * channels
        return record(
            "groupnorm \(channels)", from: [x] + (modulation.map { [$0] } ?? []), shape: x.shape,
            weights: weights.arrays,
            scratch: scratch
        ) { context, result in
            let modulationBase = modulation.map { context[$0] }
            for picture in 0..<batch {
                let input = context[x] + picture * area * channels
                let output = context[result] + picture * area * channels
                let partial = UnsafeMutableRawPointer(context.scratch(0)).assumingMemoryBound(to: Double.self)
                let scale = context.scratch(0) + tiles * 4 * channels
                let shift = scale + channels
                channelSums(input, area: area, channels: channels, tiles: tiles, partial: partial, pool: context.pool)
                groupAffine(
                    partial, count: area, channels: channels, groups: groups, eps: eps, weights: weights,
                    scale: scale, shift: shift)
                if let modulation = modulationBase.map({ $0 + picture * 2 * channels }) {
                    for c in 0..<channels {
                        scale[c] *= 1 + modulation[c]
                        shift[c] = shift[c] * (1 + modulation[c]) + modulation[channels + c]
                    }
                }
                context.pool.parallelFor(tiles) { tile, _ in
                    let first = tile * tilePositions, rows = min(tilePositions, area - first)
                    movie_channel_affine_f32(
                        output + first * channels, input + first * channels, rows, channels, scale, shift,
                        activation.kernel)
                }
            }
        }
    }

    /// LayerNorm over the channels of every position.
    public func layerNorm(_ x: Value, _ weights: NormalizationWeights, eps: Float) -> Value {
        let channels = x.shape.channels
        return perTile("layernorm \(channels)", x, channels: channels, weights: weights.arrays) { input, output, rows in
            movie_layer_norm_f32(output, input, rows, channels, weights.gamma.pointer, weights.beta.pointer, eps)
        }
    }

    /// Records a step whose rows depend on the same rows of `x` only, cut into tiles.
    func perTile(
        _ name: String, _ x: Value, channels: Int, weights: [WeightArray] = [],
        _ body: @escaping (UnsafePointer<Float>, UnsafeMutablePointer<Float>, _ rows: Int) -> Void
    ) -> Value {
        let positions = x.shape.positions, inputChannels = x.shape.channels
        let tiles = (positions + tilePositions - 1) / tilePositions
        return record(name, from: [x], shape: x.shape.with(channels: channels), weights: weights) { context, result in
            let input = context[x], output = context[result]
            context.pool.parallelFor(tiles) { tile, _ in
                let first = tile * tilePositions
                body(input + first * inputChannels, output + first * channels, min(tilePositions, positions - first))
            }
        }
    }
}

/// Sums and squares of every channel; the totals end in the first tile's place.
private func channelSums(
    _ input: UnsafePointer<Float>, area: Int, channels: Int, tiles: Int, partial: UnsafeMutablePointer<Double>,
    pool: WorkerPool
) {
    pool.parallelFor(tiles) { tile, _ in
        let sums = partial + tile * 2 * channels
        sums.update(repeating: 0, count: 2 * channels)
        let first = tile * tilePositions
        movie_channel_sums_f32(
            input + first * channels, min(tilePositions, area - first), channels, sums, sums + channels)
    }
    for tile in 1..<max(1, tiles) {
        for c in 0..<2 * channels { partial[c] += partial[tile * 2 * channels + c] }
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
