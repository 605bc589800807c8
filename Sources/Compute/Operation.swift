/// What a step computes, where another implementation may take its place; `other` is only ever run as recorded.
enum Operation {
    /// Inputs: x, and the residual if there is one.
    case convolution(Convolution)
    /// Inputs: x, and the modulation if there is one.
    case groupNorm(NormalizationWeights, groups: Int, eps: Float, activation: Activation)
    case layerNorm(NormalizationWeights, eps: Float)
    case geglu
    /// Inputs: queries, keys, values, and memory for anchor frames if they are seen.
    case attention(heads: Int, scale: Float, isCausal: Bool)
    /// Inputs: x and the modulation.
    case modulate(Activation)
    case affine(scale: Float, shift: Float)
    case resize
    case pixelUnshuffle(block: Int)
    case pixelShuffle(block: Int)
    case fromPixels
    case toPixels
    case other
}

/// One operator at fixed sizes.
struct Step {
    let name: String
    let operation: Operation
    let inputs: [Value]
    let output: Value
    let weights: [any LoadableWeights]
    /// Multiply-adds.
    let operations: Int
    /// Floats of private memory that every worker gets.
    let scratch: Int
    let isStatic: Bool
    let stage: Int
    /// Gives the step its memory: the result runs once a frame.
    let bind: (StepContext) -> () -> Void
    /// How it computes some positions alone; nil where it can only run whole.
    let partial: PartialStep?
    /// What a full run leaves for partial ones, beside the output: kept from run to run.
    let state: Value?
}

/// What a running step sees: memory of its values, scratch memory and the threads.
struct StepContext {
    let arena: UnsafeMutablePointer<Float>
    let offsets: UnsafePointer<Int>
    let scratchBase: UnsafeMutablePointer<Float>
    let scratchStride: Int
    let pool: WorkerPool
    let anchors: AnchorBank

    /// The floats of a value.
    subscript(value: Value) -> UnsafeMutablePointer<Float> { arena + offsets[value.id] }

    /// The bytes of a value that is kept as 8-bit levels.
    func bytes(_ value: Value) -> UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(arena + offsets[value.id]).assumingMemoryBound(to: UInt8.self)
    }

    /// The private memory of one worker.
    func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> { scratchBase + worker * scratchStride }
}
