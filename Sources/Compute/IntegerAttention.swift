import CKernels
import Tensors

extension Graph {
    /// `attention` on the integer kernels. Queries and keys are quantized position by position, values channel by channel,
    /// each by its own largest magnitude, so that nothing needs calibration; keys and values of a prompt are packed once.
    /// `seesAnchors`: also to the frames in the plan's `anchors`, kept packed as they were used.
    func integerAttention(
        query: Value, key: Value, value: Value, heads: Int, scale: Float, seesAnchors: Bool, into existing: Value
    ) -> Value {
        let slots = seesAnchors ? anchorSlots : 0
        let task = IntegerAttention(queries: query.shape, keys: key.shape, heads: heads, scale: scale, slots: slots)
        let memory = seesAnchors ? [anchorMemory(floats: task.slotBytes / 4 * slots)] : []
        let keys = packSide("pack keys", key, task, bytes: task.keyBytes) { memory, numbers, stride in
            task.withShape { movie_attention_pack_keys(memory, $0, numbers, stride) }
        }
        let values = packSide("pack values", value, task, bytes: task.valueBytes) { memory, numbers, stride in
            task.withShape { movie_attention_pack_values(memory, $0, numbers, stride) }
        }
        let tiles = task.batch * heads * task.blocks
        return recordPhases(
            "attention \(task.queryCount)x\(task.keyCount)", from: [query, keys, values] + memory,
            shape: query.shape,
            operations: 2 * task.batch * task.queryCount * task.keyCount * query.shape.channels,
            scratch: task.scratch + task.gathered, into: existing,
            partial: { task.partial(query, keys, values, memory.first, $0) }
        ) { context, result in
            let q = context[query], k = context.bytes(keys), v = context.bytes(values), output = context[result]
            let anchors = context.anchors, kept = memory.isEmpty ? nil : context.bytes(memory[0])
            let body: WorkerPool.Body = { index, worker in
                let block = index % task.blocks, head = index / task.blocks % heads
                let picture = index / task.blocks / heads, first = block * IntegerAttention.blockQueries
                let rows = min(IntegerAttention.blockQueries, task.queryCount - first)
                let offset = (picture * task.queryCount + first) * task.channels + head * task.width
                let side = picture * heads + head
                let scratch = context.scratch(worker), parts = IntegerAttention.parts(in: scratch)
                let count = task.fill(parts, side: side, kept, anchors)
                parts[count] = movie_attention_part(
                    keys: k + side * task.keyBytes, values: v + side * task.valueBytes, shift: 0)
                task.withShape { shape in
                    movie_attention_u8(
                        output + offset, task.channels, q + offset, task.channels, rows, parts, count + 1, shape,
                        task.scale, scratch + IntegerAttention.partFloats)
                }
            }
            return {
                context.pool.parallelFor(tiles, body)
                if let kept, let slot = anchors.keeping { task.keep(k, v, in: kept, slot) }
            }
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
    /// Floats before the scratch memory of the kernel, where a worker lists its parts.
    static let partFloats = 64

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

    init(queries: Shape, keys: Shape, heads: Int, scale: Float, slots: Int) {
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
        scratch = Self.partFloats + movie_attention_scratch(&shape, min(queryCount, Self.blockQueries), slots + 1)
    }

    /// Floats in which listed queries and their results are gathered.
    var gathered: Int { 2 * Self.blockQueries * width }

    /// Listed queries against all keys, of which those at other positions may be older.
    func partial(
        _ query: Value, _ keys: Value, _ values: Value, _ memory: Value?, _ result: Value
    ) -> PartialStep {
        PartialStep(grid: query.shape, wide: [keys, values]) { context, region in
            let q = context[query], k = context.bytes(keys), v = context.bytes(values), output = context[result]
            let anchors = context.anchors, kept = memory.map { context.bytes($0) }
            let body: WorkerPool.Body = { index, worker in
                let blocks = (region.count + Self.blockQueries - 1) / Self.blockQueries
                let first = index % blocks * Self.blockQueries, side = index / blocks
                let rows = min(Self.blockQueries, region.count - first)
                let start = side / heads * queryCount * channels + side % heads * width
                let memory = context.scratch(worker), parts = Self.parts(in: memory)
                let count = fill(parts, side: side, kept, anchors)
                parts[count] = movie_attention_part(keys: k + side * keyBytes, values: v + side * valueBytes, shift: 0)
                let own = memory + scratch, mixed = own + Self.blockQueries * width
                for row in 0..<rows {
                    let offset = start + region.index(first + row) * channels
                    (own + row * width).update(from: q + offset, count: width)
                }
                withShape { shape in
                    movie_attention_u8(
                        mixed, width, own, width, rows, parts, count + 1, shape, scale, memory + Self.partFloats)
                }
                for row in 0..<rows {
                    let offset = start + region.index(first + row) * channels
                    (output + offset).update(from: mixed + row * width, count: width)
                }
            }
            return {
                let blocks = (region.count + Self.blockQueries - 1) / Self.blockQueries
                context.pool.parallelFor(blocks * batch * heads, body)
                if let kept, let slot = anchors.keeping { keep(k, v, in: kept, slot) }
            }
        }
    }

    var blocks: Int { (queryCount + Self.blockQueries - 1) / Self.blockQueries }

    private var sides: Int { batch * heads }
    /// Bytes that the keys and values of one frame take.
    var slotBytes: Int { sides * (keyBytes + valueBytes) }

    /// The list of parts at the beginning of a worker's scratch memory.
    static func parts(in scratch: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<movie_attention_part> {
        UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: movie_attention_part.self)
    }

    /// Lists what one head sees of anchor frames; returns how many parts that are.
    func fill(
        _ parts: UnsafeMutablePointer<movie_attention_part>, side: Int, _ kept: UnsafeMutablePointer<UInt8>?,
        _ anchors: AnchorBank
    ) -> Int {
        guard let kept else { return 0 }
        for index in 0..<anchors.activeCount {
            let slot = kept + anchors.activeSlot(index) * slotBytes
            parts[index] = movie_attention_part(
                keys: slot + side * keyBytes, values: slot + sides * keyBytes + side * valueBytes,
                shift: anchors.shift(index))
        }
        return anchors.activeCount
    }

    /// Keeps a frame's packed keys and values in a slot.
    func keep(
        _ keys: UnsafePointer<UInt8>, _ values: UnsafePointer<UInt8>, in kept: UnsafeMutablePointer<UInt8>, _ slot: Int
    ) {
        let to = kept + slot * slotBytes
        to.update(from: keys, count: sides * keyBytes)
        (to + sides * keyBytes).update(from: values, count: sides * valueBytes)
    }

    func withShape(_ body: (UnsafePointer<movie_attention_shape>) -> Void) {
        var shape = movie_attention_shape(keys: keyCount, width: width, key_panel: keyPanel, width_panel: widthPanel)
        body(&shape)
    }
}
