import CKernels
import Tensors

/// A number array of a graph, known by its shape; it gets memory when the graph is planned.
public struct Value: Equatable, Sendable {
    /// [batch, height, width, channels].
    public let shape: Shape
    let id: Int
}

/// The steps of one network at fixed sizes, recorded in the order in which a network's code calls the operators.
///
/// *create* loads weights, *plan* (this type, then `Plan`) fixes sizes and memory, *run* computes. A value is static when
/// all it depends on is: static steps (the prompt's keys and values, the embeddings of timestep and guidance) run once a
/// prompt, the others once a frame.
public final class Graph {
    struct Slot {
        let shape: Shape
        let isStatic: Bool
        /// Inputs and outputs keep their memory for the whole run.
        var isPinned: Bool
        /// How the value is kept: as floats, or as 8-bit levels.
        var levels: Levels?
        /// Whether it is memory of an attention for anchor frames: no step makes it.
        var isAnchorMemory = false

        /// Floats of memory.
        var size: Int { levels.map { ($0.bytes(shape) + 3) / 4 } ?? shape.count }
    }

    private(set) var slots: [Slot] = []
    private(set) var steps: [Step] = []
    private(set) var inputs: [String: Value] = [:]
    private(set) var outputs: [String: Value] = [:]
    private(set) var stageNames: [String] = [""]
    /// Anchor frames that the self-attentions recorded from now on may see (`Plan.anchors`): 0 to
    /// `AnchorBank.mostSlots`. 0, as it is at first, records attentions that see their own frame alone.
    public var anchorSlots = 0 {
        didSet { anchorSlots = min(max(0, anchorSlots), AnchorBank.mostSlots) }
    }

    /// An empty graph.
    public init() {}

    /// Multiply-adds of one frame, by stage, without planning.
    public var operations: [(stage: String, count: Int)] {
        stageNames.enumerated().map { index, name in
            (name, steps.reduce(0) { $0 + ($1.stage == index && !$1.isStatic ? $1.operations : 0) })
        }
    }

    /// Steps recorded from now on belong to the stage `name`; a plan runs and times stages one by one.
    public func beginStage(_ name: String) { stageNames.append(name) }

    /// Declares an input; static ones change rarely (a new prompt) and cost nothing a frame.
    public func input(_ name: String, _ shape: Shape, isStatic: Bool = false) -> Value {
        let value = addSlot(shape, isStatic: isStatic, isPinned: true)
        inputs[name] = value
        return value
    }

    /// Declares an input of packed 8-bit pixels, [batch, height, width, 3], and gives their numbers: -1...1.
    public func pixelInput(_ name: String, _ shape: Shape) -> Value {
        let bytes = addSlot(
            shape, isStatic: false, isPinned: true,
            levels: Levels(packed: .signedPixels, channels: shape.channels))
        inputs[name] = bytes
        let row = shape.width * shape.channels
        return recordTiles("from pixels", .fromPixels, from: [bytes], shape: shape, tiles: shape.batch * shape.height) {
            context, result in
            let pixels = context.bytes(bytes), numbers = context[result]
            return { index, _ in movie_pixels_to_f32(numbers + index * row, pixels + index * row, row) }
        }
    }

    /// Makes numbers, nominally -1...1, readable after a run as packed 8-bit pixels, rounded and clamped.
    public func pixelOutput(_ name: String, _ x: Value) {
        let row = x.shape.width * x.shape.channels, tiles = x.shape.batch * x.shape.height
        let bytes = recordPhases(
            "to pixels", .toPixels, from: [x], shape: x.shape,
            levels: Levels(packed: .signedPixels, channels: x.shape.channels)
        ) { context, result in
            let numbers = context[x], pixels = context.bytes(result)
            let body: WorkerPool.Body = { index, _ in
                movie_pixels_from_f32(pixels + index * row, numbers + index * row, row)
            }
            return { context.pool.parallelFor(tiles, body) }
        }
        output(name, bytes)
    }

    /// Makes a value readable after a run, under this name.
    public func output(_ name: String, _ value: Value) {
        slots[value.id].isPinned = true
        outputs[name] = value
    }

    /// Records a step that computes one new value of `shape` from `inputs` on the caller's thread.
    ///
    /// - Parameter body: the computation; it runs once a frame and must not allocate.
    func record(
        _ name: String, _ operation: Operation = .other, from inputs: [Value], shape: Shape,
        weights: [any LoadableWeights] = [], partial: ((Value) -> PartialStep)? = nil,
        body: @escaping (StepContext, Value) -> Void
    ) -> Value {
        recordPhases(name, operation, from: inputs, shape: shape, weights: weights, partial: partial) {
            context, result in
            { body(context, result) }
        }
    }

    /// Records a step that is cut into tiles, which run on all threads.
    ///
    /// - Parameters:
    ///   - weights: what the step reads beside its inputs; loaded when the graph is planned.
    ///   - operations: multiply-adds.
    ///   - scratch: floats of private memory every worker gets.
    ///   - bind: called once, when the graph gets memory; returns what computes a tile.
    func recordTiles(
        _ name: String, _ operation: Operation = .other, from inputs: [Value], shape: Shape,
        weights: [any LoadableWeights] = [], operations: Int = 0, scratch: Int = 0, tiles: Int,
        partial: ((Value) -> PartialStep)? = nil, bind: @escaping (StepContext, Value) -> WorkerPool.Body
    ) -> Value {
        recordPhases(
            name, operation, from: inputs, shape: shape, weights: weights, operations: operations, scratch: scratch,
            partial: partial
        ) { context, result in
            let body = bind(context, result)
            return { context.pool.parallelFor(tiles, body) }
        }
    }

    /// Records a step of several phases.
    ///
    /// - Parameters:
    ///   - levels: how the result is kept, if as 8-bit levels.
    ///   - existing: a value of floats that the step computes instead of a new one.
    ///   - partial: how some positions alone are computed, for the value that the step makes; without it the step is
    ///     always run whole.
    ///   - state: made by `state`; what the step leaves there stays from run to run.
    ///   - bind: called once, when the graph gets memory; returns the computation, which runs once a frame and
    ///     must not allocate: the closures it hands to the pool are made here.
    func recordPhases(
        _ name: String, _ operation: Operation = .other, from inputs: [Value], shape: Shape, levels: Levels? = nil,
        weights: [any LoadableWeights] = [], operations: Int = 0, scratch: Int = 0, into existing: Value? = nil,
        partial: ((Value) -> PartialStep)? = nil, state: Value? = nil,
        bind: @escaping (StepContext, Value) -> () -> Void
    ) -> Value {
        let isStatic = inputs.allSatisfy { slots[$0.id].isStatic }
        let value = existing ?? addSlot(shape, isStatic: isStatic, isPinned: false, levels: levels)
        steps.append(
            Step(
                name: name, operation: operation, inputs: inputs, output: value, weights: weights,
                operations: operations, scratch: scratch, isStatic: isStatic, stage: stageNames.count - 1,
                bind: { context in bind(context, value) }, partial: partial?(value), state: state))
        return value
    }

    /// Memory in which an attention keeps anchor frames from run to run; zeros at first.
    func anchorMemory(floats: Int) -> Value {
        let value = addSlot(Shape(1, 1, 1, floats), isStatic: false, isPinned: true)
        slots[value.id].isAnchorMemory = true
        return value
    }

    /// Bytes of all memory for anchor frames.
    public var anchorMemory: Int {
        let used = Set(steps.flatMap(\.inputs).map(\.id).filter { slots[$0].isAnchorMemory })
        return used.reduce(0) { $0 + slots[$1].size * MemoryLayout<Float>.size }
    }

    /// Room for what a step leaves for later runs of itself.
    func state(_ shape: Shape) -> Value { addSlot(shape, isStatic: false, isPinned: false) }

    private func addSlot(_ shape: Shape, isStatic: Bool, isPinned: Bool, levels: Levels? = nil) -> Value {
        let value = Value(shape: shape, id: slots.count)
        slots.append(Slot(shape: shape, isStatic: isStatic, isPinned: isPinned, levels: levels))
        return value
    }

    // How one graph is made into another: values keep their numbers, steps are taken over or replaced.

    /// A graph with the values, inputs, outputs and stages of another, and no steps yet.
    init(valuesOf other: Graph) {
        slots = other.slots
        inputs = other.inputs
        outputs = other.outputs
        stageNames = [other.stageNames[0]]
        anchorSlots = other.anchorSlots
    }

    /// Takes a step over as it is.
    func append(_ step: Step) { steps.append(step) }

    /// Which steps read each value, by the value's number.
    var readers: [Int: [Step]] {
        var readers: [Int: [Step]] = [:]
        for step in steps {
            for id in Set(step.inputs.map(\.id)) { readers[id, default: []].append(step) }
        }
        return readers
    }
}
