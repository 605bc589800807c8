import Tensors

/// A graph with memory: what runs once a frame, without allocating.
public final class Plan: @unchecked Sendable {
    /// Whether a run came to its end.
    public enum Outcome: Sendable { case finished, stopped }

    /// Steps that belong together: encode, denoise, decode.
    public struct Stage {
        /// The name given when the graph was recorded.
        public let name: String
        fileprivate let steps: [BoundStep]

        /// Multiply-adds of one run.
        public let operations: Int
        fileprivate let isLast: Bool

        fileprivate init(name: String, steps: [BoundStep], isLast: Bool) {
            self.name = name
            self.steps = steps
            self.isLast = isLast
            operations = steps.reduce(0) { $0 + $1.step.operations }
        }
    }

    private let graph: Graph
    private let arena: UnsafeMutablePointer<Float>
    private let offsets: UnsafeMutablePointer<Int>
    private let scratch: UnsafeMutablePointer<Float>
    private let pool: WorkerPool
    private let everyPrompt: [BoundStep]
    /// The stages of a frame that have steps, in order.
    public let stages: [Stage]
    /// Bytes of activations and scratch memory.
    public let memory: Int
    /// Anchor frames that the self-attentions see, where the graph has slots for them.
    public let anchors: AnchorBank
    /// Where the frame has changed, for partial runs; nil unless the plan keeps activations.
    public let mask: ChangeMask?
    /// Multiply-adds executed since the plan was made, static steps left out.
    public private(set) var executedOperations = 0
    /// Whether a run has come to its end since `prepare`, so that partial runs have something to start from.
    public private(set) var holdsActivations = false

    /// Lays out the memory of `graph`; its steps will run on `pool`.
    ///
    /// - Parameters:
    ///   - frame: the input, a picture, whose changes partial runs are to follow. Values that they need from earlier
    ///     runs then have memory of their own. nil for a plan that only runs whole.
    ///   - halo: how far around a change partial runs compute.
    public init(
        _ graph: Graph, pool: WorkerPool, partialFor frame: String? = nil, halo: ChangeMask.Halo = .standard
    ) {
        self.graph = graph
        self.pool = pool
        loadWeights(of: graph, pool)
        let picture = frame.flatMap { graph.inputs[$0] }
        let mask = picture.map { ChangeMask(height: $0.shape.height, width: $0.shape.width, halo: halo) }
        let partial = mask.flatMap { mask in picture.map { PartialLayout(graph, mask, frame: $0) } } ?? PartialLayout()
        self.mask = mask
        let layout = ArenaLayout(graph, kept: partial.kept)
        arena = allocateAligned(layout.size)
        offsets = .allocate(capacity: max(1, layout.offsets.count))
        offsets.initialize(from: layout.offsets, count: layout.offsets.count)
        let scratchStride = aligned(graph.steps.map(\.scratch).max() ?? 0)
        scratch = allocateAligned(scratchStride * pool.width)
        memory = (layout.size + scratchStride * pool.width) * MemoryLayout<Float>.size
        anchors = AnchorBank(slots: graph.anchorSlots, memory: graph.anchorMemory)
        let context = StepContext(
            arena: arena, offsets: offsets, scratchBase: scratch, scratchStride: scratchStride, pool: pool,
            anchors: anchors)
        let steps = graph.steps.enumerated().map { index, step in
            BoundStep(step, context, partial.regions.isEmpty ? nil : partial.regions[index])
        }
        everyPrompt = steps.filter(\.step.isStatic)
        let everyFrame = steps.filter { !$0.step.isStatic }
        let last = everyFrame.last?.step.stage
        stages = graph.stageNames.enumerated().map { index, name in
            Stage(name: name, steps: everyFrame.filter { $0.step.stage == index }, isLast: index == last)
        }.filter { !$0.steps.isEmpty }
    }

    deinit {
        arena.deallocate()
        offsets.deallocate()
        scratch.deallocate()
    }

    /// Multiply-adds of one `run`.
    public var operations: Int { stages.reduce(0) { $0 + $1.operations } }

    /// The memory of a named input, to be filled before `prepare` (static inputs) or `run`. Empty for an unknown name.
    public func input(_ name: String) -> UnsafeMutableBufferPointer<Float> { memory(of: graph.inputs[name]) }

    /// The memory of a named output, valid until the next `run`. Empty for an unknown name.
    public func output(_ name: String) -> UnsafeBufferPointer<Float> { .init(memory(of: graph.outputs[name])) }

    /// The 8-bit pixels of an input declared by `pixelInput`, [batch, height, width, 3], to be filled before `run`.
    public func pixels(ofInput name: String) -> UnsafeMutableBufferPointer<UInt8> { bytes(of: graph.inputs[name]) }

    /// The 8-bit pixels of an output declared by `pixelOutput`, valid until the next `run`.
    public func pixels(ofOutput name: String) -> UnsafeBufferPointer<UInt8> { .init(bytes(of: graph.outputs[name])) }

    /// The shape of a named output.
    public func shape(ofOutput name: String) -> Shape? { graph.outputs[name]?.shape }

    /// Computes everything that depends on static inputs only. Call after changing one.
    public func prepare() {
        for step in everyPrompt { step.run() }
        holdsActivations = false
    }

    /// Computes the outputs. `shouldStop` is asked between steps; a stopped run leaves the outputs undefined.
    @discardableResult
    public func run(shouldStop: () -> Bool = { false }) -> Outcome {
        for index in stages.indices where run(stages[index], shouldStop: shouldStop) == .stopped { return .stopped }
        return .finished
    }

    /// Runs one stage; all before it must have run.
    ///
    /// - Parameter isPartial: computes only what `mask` marks, on what earlier runs have left; whole unless
    ///   `holdsActivations`. All stages of a frame must be run alike.
    @discardableResult
    public func run(_ stage: Stage, isPartial: Bool = false, shouldStop: () -> Bool = { false }) -> Outcome {
        let isPartial = isPartial && mask != nil && holdsActivations
        for index in stage.steps.indices {  // an array's own iterator allocates in debug builds
            if shouldStop() {
                holdsActivations = false
                return .stopped
            }
            pool.yieldIfEarlier()
            executedOperations += isPartial ? stage.steps[index].runPartially() : stage.steps[index].runWhole()
        }
        if !isPartial, stage.isLast { holdsActivations = true }
        return .finished
    }

    /// Runs once, timing every step: (name, multiply-adds, seconds by `clock`).
    public func profile(clock: () -> Double) -> [(name: String, operations: Int, seconds: Double)] {
        stages.flatMap(\.steps).map { bound in
            let start = clock()
            bound.run()
            return (bound.step.name, bound.step.operations, clock() - start)
        }
    }

    private func bytes(of value: Value?) -> UnsafeMutableBufferPointer<UInt8> {
        guard let value, let levels = graph.slots[value.id].levels else { return .init(start: nil, count: 0) }
        let start = UnsafeMutableRawPointer(arena + offsets[value.id]).assumingMemoryBound(to: UInt8.self)
        return .init(start: start, count: levels.bytes(value.shape))
    }

    private func memory(of value: Value?) -> UnsafeMutableBufferPointer<Float> {
        guard let value else { return .init(start: nil, count: 0) }
        return .init(start: arena + offsets[value.id], count: value.shape.count)
    }
}

/// A step that knows its memory.
private struct BoundStep {
    let step: Step
    let run: () -> Void
    private let partial: (() -> Void)?
    private let region: Region?

    init(_ step: Step, _ context: StepContext, _ region: Region?) {
        self.step = step
        self.region = region
        run = step.bind(context)
        partial = region.flatMap { region in step.partial?.bind(context, region) }
    }

    /// Returns the multiply-adds.
    func runWhole() -> Int {
        run()
        return step.operations
    }

    /// Computes the positions of the region, or all; returns the multiply-adds.
    func runPartially() -> Int {
        guard let partial, let region else { return runWhole() }
        if region.count == 0 { return 0 }
        partial()
        return step.operations / region.area * region.count
    }
}

/// Reads and packs what the steps need, on all threads.
private func loadWeights(of graph: Graph, _ pool: WorkerPool) {
    let weights = graph.steps.flatMap(\.weights)
    pool.parallelFor(weights.count) { index, _ in weights[index].load() }
}

/// Where each value lives: values whose lifetimes do not overlap share memory; those that no step touches have none.
private struct ArenaLayout {
    private(set) var offsets: [Int]
    private(set) var size = 0

    /// `kept`: numbers of values that have memory of their own.
    init(_ graph: Graph, kept: Set<Int>) {
        let slots = graph.slots, lives = Self.lives(graph, kept: kept)
        offsets = Array(repeating: 0, count: slots.count)
        var placed: [(life: ClosedRange<Int>, start: Int, end: Int)] = []
        for index in slots.indices.sorted(by: { slots[$0].size > slots[$1].size }) {
            guard let life = lives[index] else { continue }
            let length = aligned(slots[index].size)
            var start = 0
            for other in placed.filter({ $0.life.overlaps(life) }).sorted(by: { $0.start < $1.start }) {
                if start + length <= other.start { break }
                start = max(start, other.end)
            }
            offsets[index] = start
            size = max(size, start + length)
            placed.append((life, start, start + length))
        }
    }

    /// From the step that makes a value to the last that reads it, by the value's number.
    private static func lives(_ graph: Graph, kept: Set<Int>) -> [Int: ClosedRange<Int>] {
        var lives: [Int: ClosedRange<Int>] = [:]
        for value in graph.inputs.values { lives[value.id] = 0...graph.steps.count }
        for (index, step) in graph.steps.enumerated() {
            for value in step.inputs + [step.output] + (step.state.map { [$0] } ?? []) {
                let slot = graph.slots[value.id]
                // A static value is read in every frame, whenever it was made.
                let all = slot.isPinned || slot.isStatic || kept.contains(value.id)
                lives[value.id] = all ? 0...graph.steps.count : (lives[value.id]?.lowerBound ?? index)...index
            }
        }
        return lives
    }
}

/// Rounds a number of floats up to whole cache lines.
private func aligned(_ count: Int) -> Int { (count + 15) / 16 * 16 }

private func allocateAligned(_ count: Int) -> UnsafeMutablePointer<Float> {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: max(64, count * MemoryLayout<Float>.size), alignment: 64)
    let pointer = raw.bindMemory(to: Float.self, capacity: max(16, count))
    pointer.initialize(repeating: 0, count: count)
    return pointer
}
