import Tensors

extension IntegerConvolution {
    /// Listed positions: of the output, or of the picture before it is enlarged.
    func partial(_ x: Value, residual: Value?, numbers: Value?, _ result: Value) -> PartialStep {
        let grid = enlarges ? x.shape : outputShape(x.shape), batch = grid.batch
        let isPointwise = convolution.weights.kernel == 1 && convolution.stride == 1 && !enlarges
        // An enlarged output is written at other positions than are walked: what it meets there must be whole.
        let wide = (isPointwise ? [] : [x]) + (enlarges ? [residual, result].compactMap { $0 } : [])
        return PartialStep(grid: grid, wide: wide) { context, region in
            let runs = ConvolutionRun.all(self, x, residual: residual, numbers: numbers, result, context)
            let cut = ListedGrid(threads: context.pool.width, panels: runs[0].panels)
            let body: WorkerPool.Body = { tile, _ in
                let part = tile % cut.tiles, picture = tile / cut.tiles % batch
                runs[tile / cut.tiles / batch].compute(region, picture, cut.positions(part), cut.panels(part))
            }
            let filters = runs.count
            return {
                cut.set(count: region.count)
                context.pool.parallelFor(cut.tiles * batch * filters, body)
            }
        }
    }
}

/// How a list of positions, whose length changes from frame to frame, is cut.
private final class ListedGrid {
    private let threads: Int
    private let panelCount: Int
    private var count = 0
    private var block = 48
    private var panelGroup = 1
    private var groups = 1
    private(set) var tiles = 0

    init(threads: Int, panels: Int) {
        self.threads = threads
        panelCount = panels
    }

    /// Blocks of 48 to 192 positions, whole tiles of any width; few of them are cut into groups of panels as well.
    func set(count: Int) {
        self.count = count
        let wanted = 4 * threads
        block = max(48, min(192, ((count + wanted - 1) / wanted + 47) / 48 * 48))
        let blocks = (count + block - 1) / block
        panelGroup = max(1, (panelCount + max(1, wanted / max(1, blocks)) - 1) / max(1, wanted / max(1, blocks)))
        groups = (panelCount + panelGroup - 1) / panelGroup
        tiles = blocks * groups
    }

    func positions(_ tile: Int) -> Range<Int> {
        let first = tile / groups * block
        return first..<min(count, first + block)
    }

    func panels(_ tile: Int) -> Range<Int> {
        let first = tile % groups * panelGroup
        return first..<min(panelCount, first + panelGroup)
    }
}
