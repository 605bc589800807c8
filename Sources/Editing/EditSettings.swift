import Networks

/// What a person asks for: the instruction and how strongly it shows.
public struct EditSettings: Sendable, Equatable {
    /// The instruction, for example "make it a pencil drawing".
    public var prompt: String
    /// How strongly the edit follows the prompt (s_T of the paper); nil for the model's default.
    public var guidanceScale: Double?
    /// How closely it stays to the source (s_I of the paper); nil for the model's default.
    public var imageGuidanceScale: Double?
    /// Chooses the noise that every frame starts from.
    public var seed: UInt64
    /// Whether what earlier frames computed may be reused.
    public var reuse = ReuseSettings()

    /// Settings with the model's default guidance unless given.
    public init(prompt: String, guidanceScale: Double? = nil, imageGuidanceScale: Double? = nil, seed: UInt64 = 0) {
        self.prompt = prompt
        self.guidanceScale = guidanceScale
        self.imageGuidanceScale = imageGuidanceScale
        self.seed = seed
    }

    /// Throws for an empty prompt or a scale outside what the model was trained for.
    func check(against ranges: GuidanceRanges) throws(EditError) {
        guard prompt.contains(where: { !$0.isWhitespace }) else {
            throw EditError("the prompt is empty: say what to change, for example \"make it a pencil drawing\"")
        }
        try reuse.check()
        try checkScale("guidance scale", guidanceScale, ranges.guidanceScale)
        try checkScale("image guidance scale", imageGuidanceScale, ranges.imageGuidanceScale)
    }
}

private func checkScale(_ name: String, _ value: Double?, _ range: ClosedRange<Double>) throws(EditError) {
    guard let value, !range.contains(value) else { return }
    throw EditError("the \(name) is \(value); this model takes \(range.lowerBound) to \(range.upperBound)")
}
