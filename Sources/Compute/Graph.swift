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
        let producer: Int
        var lastUse: Int
    }

    private(set) var slots: [Slot] = []
    private(set) var steps: [Step] = []
    private(set) var inputs: [String: Value] = [:]
    private(set) var outputs: [String: Value] = [:]
    private(set) var stageNames: [String] = [""]
    private(set) var weights: [WeightArray] = []

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

    /// Makes a value readable after a run, under this name.
    public func output(_ name: String, _ value: Value) {
        slots[value.id].isPinned = true
        outputs[name] = value
    }

    /// Records a step that computes one new value of `shape` from `inputs` on the caller's thread.
    ///
    /// - Parameter body: the computation; it runs once a frame and must not allocate.
    func record(
        _ name: String, from inputs: [Value], shape: Shape, weights: [WeightArray] = [],
        body: @escaping (StepContext, Value) -> Void
    ) -> Value {
        recordPhases(name, from: inputs, shape: shape, weights: weights) { context, result in
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
        _ name: String, from inputs: [Value], shape: Shape, weights: [WeightArray] = [], operations: Int = 0,
        scratch: Int = 0, tiles: Int,
        bind: @escaping (StepContext, Value) -> WorkerPool.Body
    ) -> Value {
        recordPhases(
            name, from: inputs, shape: shape, weights: weights, operations: operations, scratch: scratch
        ) { context, result in
            let body = bind(context, result)
            return { context.pool.parallelFor(tiles, body) }
        }
    }

    /// Records a step of several phases.
    ///
    /// - Parameter bind: called once, when the graph gets memory; returns the computation, which runs once a frame and
    ///   must not allocate: the closures it hands to the pool are made here.
    func recordPhases(
        _ name: String, from inputs: [Value], shape: Shape, weights: [WeightArray] = [], operations: Int = 0,
        scratch: Int = 0, bind: @escaping (StepContext, Value) -> () -> Void
    ) -> Value {
        let isStatic = inputs.allSatisfy { slots[$0.id].isStatic }
        let value = addSlot(shape, isStatic: isStatic, isPinned: false)
        for input in inputs { slots[input.id].lastUse = steps.count }
        self.weights += weights
        steps.append(
            Step(
                name: name, operations: operations, scratch: scratch, isStatic: isStatic,
                stage: stageNames.count - 1, bind: { context in bind(context, value) }))
        return value
    }

    private func addSlot(_ shape: Shape, isStatic: Bool, isPinned: Bool) -> Value {
        let value = Value(shape: shape, id: slots.count)
        slots.append(
            Slot(shape: shape, isStatic: isStatic, isPinned: isPinned, producer: steps.count, lastUse: steps.count))
        return value
    }
}

/// One operator at fixed sizes.
struct Step {
    let name: String
    let operations: Int
    let scratch: Int
    let isStatic: Bool
    let stage: Int
    /// Gives the step its memory: the result runs once a frame.
    let bind: (StepContext) -> () -> Void
}

/// What a running step sees: memory of its values, scratch memory and the threads.
struct StepContext {
    let arena: UnsafeMutablePointer<Float>
    let offsets: UnsafePointer<Int>
    let scratchBase: UnsafeMutablePointer<Float>
    let scratchStride: Int
    let pool: WorkerPool

    /// The memory of a value.
    subscript(value: Value) -> UnsafeMutablePointer<Float> { arena + offsets[value.id] }

    /// The private memory of one worker.
    func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> { scratchBase + worker * scratchStride }
}
