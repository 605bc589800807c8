import CKernels
import Tensors

/// Steps that read floats and write 8-bit levels, and back. Rows are tiles, since levels may have a border.
extension Graph {
    /// The levels of a float value.
    func quantize(_ x: Value, _ levels: Levels) -> Value {
        let channels = x.shape.channels, q = levels.quantizer, inverse = 1 / q.scale
        return recordRows("quantize", from: [x], x.shape, levels) { context in
            let input = context[x]
            return { output, positions, first in
                movie_quantize_u8(
                    output, levels.stride, input + first * channels, positions, channels, inverse, q.zero)
            }
        }
    }

    /// The floats of a value kept as levels.
    func dequantize(_ x: Value, _ levels: Levels, into existing: Value?) -> Value {
        let shape = x.shape, channels = shape.channels, q = levels.quantizer
        let partial = { (result: Value) in
            PartialStep.rows(shape) { context in
                let input = context.bytes(x), output = context[result]
                return { picture, row, column, count in
                    let line = picture * shape.height + row
                    movie_dequantize_u8(
                        output + (line * shape.width + column) * channels,
                        input + levels.offset(shape, picture: picture, row: row) + column * levels.stride,
                        levels.stride, count, channels, q.scale, q.zero)
                }
            }
        }
        return recordPhases("dequantize", from: [x], shape: shape, into: existing, partial: partial) {
            context, result in
            let input = context.bytes(x), output = context[result]
            let body: WorkerPool.Body = { index, _ in
                let offset = levels.offset(shape, picture: index / shape.height, row: index % shape.height)
                movie_dequantize_u8(
                    output + index * shape.width * channels, input + offset, levels.stride, shape.width, channels,
                    q.scale, q.zero)
            }
            return { context.pool.parallelFor(shape.batch * shape.height, body) }
        }
    }

    /// `layerNorm`, written as levels.
    func layerNorm(_ x: Value, _ weights: NormalizationWeights, eps: Float, _ levels: Levels) -> Value {
        let channels = x.shape.channels, q = levels.quantizer, inverse = 1 / q.scale
        return recordRows("layernorm \(channels)", from: [x], x.shape, levels, weights: weights.arrays) { context in
            let input = context[x], gamma = weights.gamma.pointer, beta = weights.beta.pointer
            return { output, positions, first in
                movie_layer_norm_u8(
                    output, levels.stride, input + first * channels, positions, channels, gamma, beta, eps, inverse,
                    q.zero)
            }
        }
    }

    /// `geglu`, written as levels.
    func geglu(_ x: Value, _ levels: Levels) -> Value {
        let channels = x.shape.channels, q = levels.quantizer, inverse = 1 / q.scale
        return recordRows("geglu", from: [x], x.shape.with(channels: channels / 2), levels) { context in
            let input = context[x]
            return { output, positions, first in
                movie_geglu_u8(
                    output, levels.stride, input + first * channels, positions, channels / 2, inverse, q.zero)
            }
        }
    }

    /// `groupNorm`, written as levels.
    func groupNorm(
        _ x: Value, _ weights: NormalizationWeights, groups: Int, eps: Float, modulation: Value?,
        activation: Activation, _ levels: Levels
    ) -> Value {
        let channels = x.shape.channels, shape = x.shape, q = levels.quantizer, inverse = 1 / q.scale
        let norm = GroupNormStatistics(x.shape, weights, groups: groups, eps: eps)
        let rows = max(1, tilePositions / shape.width), tilesEach = (shape.height + rows - 1) / rows
        let affine = state(norm.affine)
        let partial = { (result: Value) in
            PartialStep.rows(shape) { context in
                let input = context[x], output = context.bytes(result), affine = context[affine]
                return { picture, row, column, count in
                    let scale = affine + picture * 2 * channels
                    movie_channel_affine_u8(
                        output + levels.offset(shape, picture: picture, row: row) + column * levels.stride,
                        levels.stride,
                        input + ((picture * shape.height + row) * shape.width + column) * channels, count, channels,
                        scale, scale + channels, activation.kernel, inverse, q.zero)
                }
            }
        }
        return recordPhases(
            "groupnorm \(channels)", from: [x] + (modulation.map { [$0] } ?? []), shape: shape, levels: levels,
            weights: weights.arrays, scratch: norm.scratch, partial: partial, state: affine
        ) { context, result in
            let input = context[x], output = context.bytes(result), numbers = modulation.map { context[$0] }
            let affine = context[affine]
            let statistics = norm.bind(input, modulation: numbers, affine: affine, context)
            let normalize: WorkerPool.Body = { index, _ in
                let picture = index / tilesEach, first = index % tilesEach * rows
                let scale = affine + picture * 2 * channels
                for row in first..<min(shape.height, first + rows) {
                    movie_channel_affine_u8(
                        output + levels.offset(shape, picture: picture, row: row), levels.stride,
                        input + (picture * shape.height + row) * shape.width * channels, shape.width, channels, scale,
                        scale + channels, activation.kernel, inverse, q.zero)
                }
            }
            return {
                levels.fillBorder(output, shape)
                statistics()
                context.pool.parallelFor(shape.batch * tilesEach, normalize)
            }
        }
    }

    /// Space to depth of packed pixels, [batch, height, width, 3].
    func unshufflePixels(_ pixels: Value, block: Int, _ levels: Levels) -> Value {
        let shape = Shape(
            pixels.shape.batch, pixels.shape.height / block, pixels.shape.width / block, 3 * block * block)
        let row = pixels.shape.width * 3
        return recordLines("unshuffle pixels", from: [pixels], shape, levels) { context in
            let input = context.bytes(pixels)
            return { output, line, column, count in
                movie_unshuffle_rgb_u8(
                    output, levels.stride, input + line * block * row + column * block * 3, row, count, block)
            }
        }
    }

    /// Depth to space of levels that are pixels, [batch, height, width, 3 * block * block], to packed pixels.
    func shufflePixels(_ x: Value, _ levels: Levels, block: Int) -> Value {
        let shape = Shape(x.shape.batch, x.shape.height * block, x.shape.width * block, 3)
        let row = shape.width * 3, lines = x.shape.batch * x.shape.height
        let partial = { (result: Value) in
            PartialStep.rows(x.shape) { context in
                let input = context.bytes(x), output = context.bytes(result)
                return { picture, line, column, count in
                    movie_shuffle_rgb_u8(
                        output + (picture * x.shape.height + line) * block * row + column * block * 3, row,
                        input + levels.offset(x.shape, picture: picture, row: line) + column * levels.stride,
                        levels.stride, count, block)
                }
            }
        }
        return recordPhases(
            "shuffle pixels", from: [x], shape: shape, levels: Levels(packed: .signedPixels, channels: 3),
            partial: partial
        ) { context, result in
            let input = context.bytes(x), output = context.bytes(result)
            let body: WorkerPool.Body = { index, _ in
                let offset = levels.offset(x.shape, picture: index / x.shape.height, row: index % x.shape.height)
                movie_shuffle_rgb_u8(
                    output + index * block * row, row, input + offset, levels.stride, x.shape.width, block)
            }
            return { context.pool.parallelFor(lines, body) }
        }
    }

    /// A step that writes levels, some rows a tile; `bind` returns (output, positions, first position).
    private func recordRows(
        _ name: String, from inputs: [Value], _ shape: Shape, _ levels: Levels, weights: [any LoadableWeights] = [],
        bind: @escaping (StepContext) -> (UnsafeMutablePointer<UInt8>, Int, Int) -> Void
    ) -> Value {
        let partial = { (result: Value) in
            PartialStep.rows(shape) { context in
                let output = context.bytes(result), body = bind(context)
                return { picture, row, column, count in
                    body(
                        output + levels.offset(shape, picture: picture, row: row) + column * levels.stride, count,
                        (picture * shape.height + row) * shape.width + column)
                }
            }
        }
        // Without a border, rows lie behind each other: sequences are one row.
        let width = levels.border == 0 ? min(shape.positions, 64) : shape.width
        let tiles = (shape.positions + width - 1) / width
        return recordPhases(
            name, from: inputs, shape: shape, levels: levels, weights: weights, partial: partial
        ) { context, result in
            let output = context.bytes(result), body = bind(context)
            let tile: WorkerPool.Body = { index, _ in
                let first = index * width
                guard levels.border == 0 else {
                    let offset = levels.offset(shape, picture: index / shape.height, row: index % shape.height)
                    return body(output + offset, width, first)
                }
                body(output + first * levels.stride, min(width, shape.positions - first), first)
            }
            return {
                levels.fillBorder(output, shape)
                context.pool.parallelFor(tiles, tile)
            }
        }
    }

    /// A step that writes levels line by line; `bind` returns (output, line of all pictures, column, positions).
    private func recordLines(
        _ name: String, from inputs: [Value], _ shape: Shape, _ levels: Levels,
        bind: @escaping (StepContext) -> (UnsafeMutablePointer<UInt8>, Int, Int, Int) -> Void
    ) -> Value {
        let partial = { (result: Value) in
            PartialStep.rows(shape) { context in
                let output = context.bytes(result), body = bind(context)
                return { picture, row, column, count in
                    body(
                        output + levels.offset(shape, picture: picture, row: row) + column * levels.stride,
                        picture * shape.height + row, column, count)
                }
            }
        }
        return recordPhases(name, from: inputs, shape: shape, levels: levels, partial: partial) { context, result in
            let output = context.bytes(result), body = bind(context)
            let tile: WorkerPool.Body = { index, _ in
                let offset = levels.offset(shape, picture: index / shape.height, row: index % shape.height)
                body(output + offset, index, 0, shape.width)
            }
            return {
                levels.fillBorder(output, shape)
                context.pool.parallelFor(shape.batch * shape.height, tile)
            }
        }
    }
}
