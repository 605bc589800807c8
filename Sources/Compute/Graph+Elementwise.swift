import CKernels
import Glibc
import Tensors

extension Graph {
    /// The activation of every element.
    public func activate(_ x: Value, _ activation: Activation) -> Value {
        let channels = x.shape.channels
        return perTile("\(activation.rawValue)", x, channels: channels) { input, output, rows in
            movie_activate_f32(output, input, rows * channels, activation.kernel)
        }
    }

    /// x * scale + shift.
    public func affine(_ x: Value, scale: Float, shift: Float = 0) -> Value {
        let channels = x.shape.channels
        return perTile("affine", x, channels: channels, operation: .affine(scale: scale, shift: shift)) {
            input, output, rows in
            movie_affine_f32(output, input, rows * channels, scale, shift)
        }
    }

    /// GEGLU: the first half of the channels times gelu of the second half.
    public func geglu(_ x: Value) -> Value {
        let channels = x.shape.channels / 2
        return perTile("geglu", x, channels: channels, operation: .geglu) { input, output, rows in
            movie_geglu_f32(output, input, rows, channels)
        }
    }

    /// Sum of two values of the same shape.
    public func add(_ a: Value, _ b: Value) -> Value {
        let count = a.shape.count
        let tile = 1 << 16, tiles = (count + tile - 1) / tile
        let partial = { [channels = a.shape.channels] (result: Value) in
            PartialStep.positions(a.shape) { context in
                let left = context[a], right = context[b], output = context[result]
                return { first, count in
                    let start = first * channels
                    movie_add_f32(output + start, left + start, right + start, count * channels)
                }
            }
        }
        return recordTiles("add", from: [a, b], shape: a.shape, tiles: tiles, partial: partial) { context, result in
            let left = context[a], right = context[b], output = context[result]
            return { index, _ in
                let first = index * tile
                movie_add_f32(output + first, left + first, right + first, min(tile, count - first))
            }
        }
    }

    /// a * x + b * y for two values of the same shape.
    public func mix(_ x: Value, _ a: Float, _ y: Value, _ b: Float) -> Value {
        add(affine(x, scale: a), affine(y, scale: b))
    }

    /// x + bias, or x * (1 + scale) + shift, then an activation: one number a channel and batch element.
    ///
    /// - Parameters:
    ///   - modulation: [batch, 1, 1, channels] to add, or [batch, 1, 1, 2 * channels]: scales, then shifts.
    public func modulate(_ x: Value, by modulation: Value, activation: Activation = .identity) -> Value {
        let area = x.shape.area, channels = x.shape.channels, batch = x.shape.batch
        let scales = modulation.shape.channels == 2 * channels
        let tile = 512, tiles = (area + tile - 1) / tile
        return recordPhases(
            "modulate", .modulate(activation), from: [x, modulation], shape: x.shape, scratch: 2 * channels * batch
        ) { context, result in
            let numbers = context[modulation], input = context[x], output = context[result]
            let affine = context.scratch(0)  // scales, then shifts, of every batch element
            let body: WorkerPool.Body = { index, _ in
                let picture = index / tiles, first = index % tiles * tile
                let offset = (picture * area + first) * channels
                let scale = affine + picture * 2 * channels
                movie_channel_affine_f32(
                    output + offset, input + offset, min(tile, area - first), channels, scale, scale + channels,
                    activation.kernel)
            }
            return {
                for picture in 0..<batch {
                    let scale = affine + picture * 2 * channels, own = numbers + picture * modulation.shape.channels
                    for c in 0..<channels {
                        scale[c] = scales ? 1 + own[c] : 1
                        scale[channels + c] = own[scales ? channels + c : c]
                    }
                }
                context.pool.parallelFor(batch * tiles, body)
            }
        }
    }

    /// The channels of all values behind each other; they have the same positions.
    public func concatenate(_ values: [Value]) -> Value {
        let channels = values.reduce(0) { $0 + $1.shape.channels }
        let positions = values[0].shape.positions
        let shape = values[0].shape.with(channels: channels)
        func join(_ context: StepContext, _ result: Value, _ first: Int, _ count: Int) {
            var offset = 0
            for index in values.indices {
                let value = values[index]
                let width = value.shape.channels
                let input = context[value], output = context[result] + offset
                for position in first..<first + count {
                    (output + position &* channels).update(from: input + position &* width, count: width)
                }
                offset += width
            }
        }
        let partial = { (result: Value) in
            PartialStep.positions(shape) { context in { first, count in join(context, result, first, count) } }
        }
        return record("concat", from: values, shape: shape, partial: partial) { context, result in
            join(context, result, 0, positions)
        }
    }

    /// The channels `range` of every position.
    public func slice(_ x: Value, _ range: Range<Int>) -> Value {
        let channels = x.shape.channels
        let width = range.count
        return perTile("slice", x, channels: width) { input, output, rows in
            for row in 0..<rows {
                (output + row &* width).update(from: input + row &* channels + range.lowerBound, count: width)
            }
        }
    }

    /// The same numbers seen in another shape of the same count.
    public func reshape(_ x: Value, _ shape: Shape) -> Value {
        record("reshape", from: [x], shape: shape) { context, result in
            context[result].update(from: context[x], count: shape.count)
        }
    }

    /// The sinusoidal embedding of one number a batch element (Ho et al. 2020; diffusers' get_timestep_embedding).
    ///
    /// - Parameters:
    ///   - x: [batch, 1, 1, 1].
    ///   - flipSinToCos: cosines first.
    ///   - frequencyShift: `downscale_freq_shift`.
    public func sinusoid(_ x: Value, channels: Int, flipSinToCos: Bool, frequencyShift: Float, scale: Float = 1)
        -> Value
    {
        let half = channels / 2
        return record("sinusoid", from: [x], shape: x.shape.with(channels: channels)) { context, result in
            let input = context[x], output = context[result]
            for element in 0..<x.shape.batch {
                let row = output + element * channels
                for i in 0..<half {
                    let frequency = expf(-logf(10000) * Float(i) / (Float(half) - frequencyShift))
                    let angle = input[element] * scale * frequency
                    row[flipSinToCos ? half + i : i] = sinf(angle)
                    row[flipSinToCos ? i : half + i] = cosf(angle)
                }
                if channels % 2 == 1 { row[channels - 1] = 0 }
            }
        }
    }
}
