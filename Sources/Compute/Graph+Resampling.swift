import CKernels
import Tensors

extension Graph {
    /// Nearest-neighbour resize to height x width, as torch's `interpolate(mode="nearest")`.
    public func resize(_ x: Value, height: Int, width: Int) -> Value {
        let shape = Shape(x.shape.batch, height, width, x.shape.channels)
        let tile = 8, tilesEach = (height + tile - 1) / tile
        return recordTiles("resize", .resize, from: [x], shape: shape, tiles: tilesEach * shape.batch) {
            context, result in
            let input = context[x], output = context[result]
            return { index, _ in
                let picture = index / tilesEach, first = index % tilesEach * tile
                movie_resize_nearest_f32(
                    output + picture * shape.area * shape.channels, input + picture * x.shape.area * shape.channels,
                    x.shape.height, x.shape.width, height, width, shape.channels, first, min(height, first + tile))
            }
        }
    }

    /// Space to depth by `block`; height and width are multiples of it. Channel order of torch's pixel_unshuffle.
    public func pixelUnshuffle(_ x: Value, block: Int) -> Value {
        guard block > 1 else { return x }
        let shape = Shape(
            x.shape.batch, x.shape.height / block, x.shape.width / block, x.shape.channels * block * block)
        return rearrange("unshuffle", .pixelUnshuffle(block: block), x, shape) { input, output, rows, row in
            movie_unshuffle_f32(
                output + row * shape.width * shape.channels, input + row * block * x.shape.width * x.shape.channels,
                rows, shape.width, x.shape.channels, block)
        }
    }

    /// Depth to space by `block`, torch's pixel_shuffle; the channels are a multiple of block * block.
    public func pixelShuffle(_ x: Value, block: Int) -> Value {
        guard block > 1 else { return x }
        let shape = Shape(
            x.shape.batch, x.shape.height * block, x.shape.width * block, x.shape.channels / (block * block))
        return rearrange("shuffle", .pixelShuffle(block: block), x, shape) { input, output, rows, row in
            movie_shuffle_f32(
                output + row * block * shape.width * shape.channels, input + row * x.shape.width * x.shape.channels,
                rows, x.shape.width, shape.channels, block)
        }
    }

    /// Records a step that moves whole rows of the coarser of the two pictures.
    private func rearrange(
        _ name: String, _ operation: Operation, _ x: Value, _ shape: Shape,
        _ body: @escaping (UnsafePointer<Float>, UnsafeMutablePointer<Float>, _ rows: Int, _ row: Int) -> Void
    ) -> Value {
        let height = min(x.shape.height, shape.height)
        let tile = 8, tilesEach = (height + tile - 1) / tile
        return recordTiles(name, operation, from: [x], shape: shape, tiles: tilesEach * shape.batch) {
            context, result in
            let input = context[x], output = context[result]
            return { index, _ in
                let picture = index / tilesEach, row = index % tilesEach * tile
                body(
                    input + picture * x.shape.area * x.shape.channels,
                    output + picture * shape.area * shape.channels, min(tile, height - row), row)
            }
        }
    }
}
