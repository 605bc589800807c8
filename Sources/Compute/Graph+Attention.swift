import CKernels
import COpenBLAS
import Glibc
import Tensors

extension Graph {
    /// softmax(Q K^T / sqrt(d)) V, head by head, in tiles of queries: no matrix of all scores is ever in memory.
    ///
    /// - Parameters:
    ///   - query: [batch, height, width, heads * d].
    ///   - key, value: [batch, any height, any width, heads * d], the same positions.
    ///   - isCausal: whether a query sees only itself and what comes before it.
    public func attention(
        query: Value, key: Value, value: Value, heads: Int, scale: Float? = nil, isCausal: Bool = false
    ) -> Value {
        let channels = query.shape.channels
        let task = AttentionTask(
            queries: query.shape.area, keys: key.shape.area, channels: channels, width: channels / heads,
            scale: scale ?? 1 / sqrtf(Float(channels / heads)), isCausal: isCausal)
        let tilesEach = (task.queries + AttentionTask.tileQueries - 1) / AttentionTask.tileQueries
        let batch = query.shape.batch
        return recordTiles(
            "attention \(task.queries)x\(task.keys)",
            .attention(heads: heads, scale: task.scale, isCausal: isCausal), from: [query, key, value],
            shape: query.shape,
            operations: 2 * batch * task.queries * task.keys * channels,
            scratch: min(task.queries, AttentionTask.tileQueries) * task.keys, tiles: batch * heads * tilesEach
        ) { context, result in
            let q = context[query], k = context[key], v = context[value], output = context[result]
            return { index, worker in
                let tile = index % tilesEach, head = index / tilesEach % heads
                let picture = index / tilesEach / heads
                let own = picture * task.queries * channels + head * task.width
                let other = picture * task.keys * channels + head * task.width
                task.run(
                    query: q + own, key: k + other, value: v + other, output: output + own, tile: tile,
                    scores: context.scratch(worker))
            }
        }
    }
}

/// One head's attention, a tile of queries at a time.
private struct AttentionTask {
    static let tileQueries = 64

    let queries: Int
    let keys: Int
    let channels: Int
    let width: Int
    let scale: Float
    let isCausal: Bool

    func run(
        query: UnsafePointer<Float>, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
        output: UnsafeMutablePointer<Float>, tile: Int, scores: UnsafeMutablePointer<Float>
    ) {
        let first = tile * Self.tileQueries, rows = min(Self.tileQueries, queries - first)
        let ld = Int32(channels)
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(keys), Int32(width), 1,
            query + first * channels, ld, key, ld, 0, scores, Int32(keys))
        movie_softmax_f32(scores, rows, keys, keys, scale, isCausal ? first : -1)
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(width), Int32(keys), 1, scores, Int32(keys),
            value, ld, 0, output + first * channels, ld)
    }
}
