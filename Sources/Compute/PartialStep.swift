import Tensors

/// How a step computes some of its positions alone.
///
/// A step without one is run whole: then all that it reads is kept from run to run.
struct PartialStep {
    /// Computes `count` positions of a row, from `column` on.
    typealias Rows = (_ picture: Int, _ row: Int, _ column: Int, _ count: Int) -> Void

    /// The picture whose positions are walked, most often the output.
    let grid: Shape
    /// What is read at other positions than the one that is computed: kept from run to run.
    let wide: [Value]
    /// Called once, when the graph gets memory; returns the computation of the region's positions, which must not allocate.
    let bind: (StepContext, Region) -> () -> Void

    /// A step that computes every position from the same position of its inputs.
    static func rows(_ grid: Shape, bind: @escaping (StepContext) -> Rows) -> PartialStep {
        PartialStep(grid: grid, wide: []) { context, region in
            let body = bind(context), batch = grid.batch
            let tile: WorkerPool.Body = { index, _ in
                let tiles = region.tiles
                for run in region.runs(ofTile: index % tiles) {
                    let run = region[run: run]
                    body(index / tiles, run.row, run.column, run.count)
                }
            }
            return { context.pool.parallelFor(region.tiles * batch, tile) }
        }
    }

    /// The same for packed floats: (first position, count), counted through all pictures.
    static func positions(
        _ grid: Shape, bind: @escaping (StepContext) -> (_ first: Int, _ count: Int) -> Void
    ) -> PartialStep {
        rows(grid) { context in
            let body = bind(context)
            return { picture, row, column, count in
                body((picture &* grid.height &+ row) &* grid.width &+ column, count)
            }
        }
    }
}
