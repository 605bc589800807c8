import CKernels
import COpenBLAS
import Glibc
import Tensors

extension Graph {
    /// Attention of a frame to itself and, where the graph has `anchorSlots`, to the frames in the plan's `anchors`:
    /// softmax(Q [K_1; ...; K_t; K]^T / sqrt(d)) [V_1; ...; V_t; V], the anchors' scores weighed by their slots.
    ///
    /// - Parameter query, key, value: [batch, height, width, heads * d], of one shape.
    public func selfAttention(query: Value, key: Value, value: Value, heads: Int) -> Value {
        guard anchorSlots > 0 else { return attention(query: query, key: key, value: value, heads: heads) }
        let shape = query.shape, side = shape.count, slots = anchorSlots
        let memory = anchorMemory(floats: 2 * side * slots)
        let task = AnchoredAttentionTask(shape: shape, heads: heads)
        return recordPhases(
            "attention \(shape.area)x\(shape.area)", .attention(heads: heads, scale: task.scale, isCausal: false),
            from: [query, key, value, memory], shape: shape,
            operations: 2 * shape.count * shape.area, scratch: task.tileQueries * task.keys * (slots + 1)
        ) { context, result in
            let anchors = context.anchors, kept = context[memory]
            let q = context[query], k = context[key], v = context[value], output = context[result]
            let body: WorkerPool.Body = { index, worker in
                task.run(
                    index, query: q, key: k, value: v, output: output, kept: kept, anchors,
                    scores: context.scratch(worker))
            }
            return {
                context.pool.parallelFor(task.tiles, body)
                guard let slot = anchors.keeping else { return }
                (kept + 2 * slot * side).update(from: k, count: side)
                (kept + (2 * slot + 1) * side).update(from: v, count: side)
            }
        }
    }
}

/// Attention to several frames of the same shape, a tile of one head's queries at a time.
private struct AnchoredAttentionTask {
    let batch: Int
    let keys: Int
    let channels: Int
    let heads: Int
    let width: Int
    let scale: Float
    let tileQueries: Int

    init(shape: Shape, heads: Int) {
        batch = shape.batch
        keys = shape.area
        channels = shape.channels
        self.heads = heads
        width = channels / heads
        scale = 1 / sqrtf(Float(width))
        tileQueries = min(64, keys)
    }

    private var tilesEach: Int { (keys + tileQueries - 1) / tileQueries }
    var tiles: Int { batch * heads * tilesEach }

    /// One tile. `kept`: all keys and then all values, slot by slot.
    func run(
        _ index: Int, query: UnsafePointer<Float>, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
        output: UnsafeMutablePointer<Float>, kept: UnsafePointer<Float>, _ anchors: AnchorBank,
        scores: UnsafeMutablePointer<Float>
    ) {
        let first = index % tilesEach * tileQueries, rows = min(tileQueries, keys - first)
        let head = index / tilesEach % heads, picture = index / tilesEach / heads
        let own = picture * keys * channels + head * width, side = batch * keys * channels
        let count = anchors.activeCount, columns = (count + 1) * keys, ld = Int32(channels)
        let queries = query + own + first * channels
        for part in 0...count {
            let slot = part < count ? anchors.activeSlot(part) : 0
            let source = part < count ? kept + 2 * slot * side : key
            let to = scores + part * keys
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(keys), Int32(width), 1, queries, ld,
                source + own, ld, 0, to, Int32(columns))
            guard part < count, anchors.shift(part) != 0 else { continue }
            let weight = anchors.shift(part) * 0.693_147_2 / scale  // the softmax scales it
            for row in 0..<rows { movie_affine_f32(to + row * columns, to + row * columns, keys, 1, weight) }
        }
        movie_softmax_f32(scores, rows, columns, columns, scale, -1)
        for part in 0...count {
            let slot = part < count ? anchors.activeSlot(part) : 0
            let source = part < count ? kept + (2 * slot + 1) * side : value
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(width), Int32(keys), 1,
                scores + part * keys, Int32(columns), source + own, ld, part == 0 ? 0 : 1,
                output + own + first * channels, ld)
        }
    }
}
