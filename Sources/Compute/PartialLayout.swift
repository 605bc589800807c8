import Tensors

/// What partial runs of a graph need: the region of every step, and the values that stay from run to run.
///
/// A value is kept where a step reads it at other positions than the one that it computes, or is always run whole: those
/// positions may come from an earlier run. All others are read where the same run has just computed them, and may share
/// memory as ever.
struct PartialLayout {
    /// By the step's number; nil where a step is run whole.
    private(set) var regions: [Region?] = []
    /// Numbers of the kept values.
    private(set) var kept: Set<Int> = []

    /// A layout of nothing: every run is whole.
    init() {}

    /// - Parameter mask: gets a region for every resolution.
    init(_ graph: Graph, _ mask: ChangeMask, frame: Value) {
        var scales = [frame.id: Scaled(shape: frame.shape, scale: 1)]
        for step in graph.steps {
            guard !step.isStatic else {
                regions.append(nil)
                continue
            }
            let source = step.inputs.lazy.compactMap { scales[$0.id] }.first
            scales[step.output.id] = source.flatMap { $0.to(step.output.shape) }
            let region = step.partial.flatMap { partial in
                source.flatMap { $0.to(partial.grid) }.flatMap {
                    mask.region(height: $0.shape.height, width: $0.shape.width, scale: $0.scale)
                }
            }
            regions.append(region)
            kept.formUnion((region == nil ? step.inputs : step.partial?.wide ?? []).map(\.id))
            if let state = step.state { kept.insert(state.id) }
        }
    }
}

/// A picture's resolution: pixels of the frame that a position spans.
private struct Scaled {
    let shape: Shape
    let scale: Int

    /// The resolution of a picture made from this one; nil for anything but halving, doubling and the like.
    func to(_ other: Shape) -> Scaled? {
        guard other.height > 0, other.width > 0 else { return nil }
        let down = Self.whole(shape.height, other.height)
        if down == Self.whole(shape.width, other.width), Self.covers(shape, other, down) {
            return Scaled(shape: other, scale: scale * down)
        }
        let up = Self.whole(other.height, shape.height)
        guard up == Self.whole(other.width, shape.width), Self.covers(other, shape, up), scale % up == 0 else {
            return nil
        }
        return Scaled(shape: other, scale: scale / up)
    }

    private static func whole(_ fine: Int, _ coarse: Int) -> Int { (fine + coarse - 1) / coarse }

    private static func covers(_ fine: Shape, _ coarse: Shape, _ factor: Int) -> Bool {
        whole(fine.height, factor) == coarse.height && whole(fine.width, factor) == coarse.width
    }
}
