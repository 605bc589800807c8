import CKernels
import Tensors

extension Graph {
    /// `attention` on the integer kernels. Queries and keys are quantized position by position, values channel by channel,
    /// each by its own largest magnitude, so that nothing needs calibration; keys and values of a prompt are packed once.
    func integerAttention(query: Value, key: Value, value: Value, heads: Int, scale: Float, into existing: Value)
        -> Value
    {
        let task = IntegerAttention(queries: query.shape, keys: key.shape, heads: heads, scale: scale)
        let keys = packSide("pack keys", key, task, bytes: task.keyBytes) { memory, numbers, stride in
            task.withShape { movie_attention_pack_keys(memory, $0, numbers, stride) }
        }
        let values = packSide("pack values", value, task, bytes: task.valueBytes) { memory, numbers, stride in
            task.withShape { movie_attention_pack_values(memory, $0, numbers, stride) }
        }
        let tiles = task.batch * heads * task.blocks
        return recordPhases(
            "attention \(task.queryCount)x\(task.keyCount)", from: [query, keys, values], shape: query.shape,
            operations: 2 * task.batch * task.queryCount * task.keyCount * query.shape.channels,
            scratch: task.scratch + task.gathered, into: existing,
            partial: { task.partial(query, keys, values, $0) }
        ) { context, result in
            let q = context[query], k = context.bytes(keys), v = context.bytes(values), output = context[result]
            let body: WorkerPool.Body = { index, worker in
                let block = index % task.blocks, head = index / task.blocks % heads
                let picture = index / task.blocks / heads, first = block * IntegerAttention.blockQueries
                let rows = min(IntegerAttention.blockQueries, task.queryCount - first)
                let offset = (picture * task.queryCount + first) * task.channels + head * task.width
                let side = picture * heads + head
                task.withShape { shape in
                    movie_attention_u8(
                        output + offset, task.channels, q + offset, task.channels, rows, k + side * task.keyBytes,
                        v + side * task.valueBytes, shape, task.scale, context.scratch(worker))
                }
            }
            return { context.pool.parallelFor(tiles, body) }
        }
    }

    /// A step that packs keys or values, head by head: (memory, first number, floats from position to position).
    private func packSide(
        _ name: String, _ x: Value, _ task: IntegerAttention, bytes: Int,
        _ pack: @escaping (UnsafeMutableRawPointer, UnsafePointer<Float>, Int) -> Void
    ) -> Value {
        let sides = task.batch * task.heads
        return recordTiles(name, from: [x], shape: Shape(1, 1, sides, bytes / 4), tiles: sides) { context, result in
            let input = context[x], memory = context[result]
            return { index, _ in
                let picture = index / task.heads, head = index % task.heads
                pack(
                    memory + index * bytes / 4, input + picture * task.keyCount * task.channels + head * task.width,
                    task.channels)
            }
        }
    }
}

/// Sizes of one attention.
private struct IntegerAttention: Sendable {
    static let blockQueries = 48

    let batch: Int
    let queryCount: Int
    let keyCount: Int
    let channels: Int
    let heads: Int
    let width: Int
    let scale: Float
    let keyBytes: Int
    let valueBytes: Int
    let scratch: Int
    private let keyPanel: Int
    private let widthPanel: Int

    init(queries: Shape, keys: Shape, heads: Int, scale: Float) {
        batch = queries.batch
        queryCount = queries.area
        keyCount = keys.area
        channels = queries.channels
        self.heads = heads
        width = channels / heads
        self.scale = scale
        keyPanel = IntegerWeights.panel(for: keyCount)
        widthPanel = IntegerWeights.panel(for: width)
        var shape = movie_attention_shape(keys: keyCount, width: width, key_panel: keyPanel, width_panel: widthPanel)
        keyBytes = movie_attention_keys_bytes(&shape)
        valueBytes = movie_attention_values_bytes(&shape)
        scratch = movie_attention_scratch(&shape, min(queryCount, Self.blockQueries))
    }

    /// Floats in which listed queries and their results are gathered.
    var gathered: Int { 2 * Self.blockQueries * width }

    /// Listed queries against all keys, of which those at other positions may be older.
    func partial(_ query: Value, _ keys: Value, _ values: Value, _ result: Value) -> PartialStep {
        PartialStep(grid: query.shape, wide: [keys, values]) { context, region in
            let q = context[query], k = context.bytes(keys), v = context.bytes(values), output = context[result]
            let body: WorkerPool.Body = { index, worker in
                let blocks = (region.count + Self.blockQueries - 1) / Self.blockQueries
                let first = index % blocks * Self.blockQueries, side = index / blocks
                let rows = min(Self.blockQueries, region.count - first)
                let start = side / heads * queryCount * channels + side % heads * width
                let own = context.scratch(worker) + scratch, mixed = own + Self.blockQueries * width
                for row in 0..<rows {
                    let offset = start + region.index(first + row) * channels
                    (own + row * width).update(from: q + offset, count: width)
                }
                withShape { shape in
                    movie_attention_u8(
                        mixed, width, own, width, rows, k + side * keyBytes, v + side * valueBytes, shape, scale,
                        context.scratch(worker))
                }
                for row in 0..<rows {
                    let offset = start + region.index(first + row) * channels
                    (output + offset).update(from: mixed + row * width, count: width)
                }
            }
            return {
                let blocks = (region.count + Self.blockQueries - 1) / Self.blockQueries
                context.pool.parallelFor(blocks * batch * heads, body)
            }
        }
    }

    var blocks: Int { (queryCount + Self.blockQueries - 1) / Self.blockQueries }

    func withShape(_ body: (UnsafePointer<movie_attention_shape>) -> Void) {
        var shape = movie_attention_shape(keys: keyCount, width: width, key_panel: keyPanel, width_panel: widthPanel)
        body(&shape)
    }
}
