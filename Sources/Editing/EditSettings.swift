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
    /// The frame that the others attend to.
    public var anchor = AnchorMode.none
    /// Seconds after which a rolling anchor is renewed, one of `anchorAges`.
    public var anchorMaximumAge = 10.0
    /// How much of the flicker is taken out, 0...1.
    public var stability = 0.0
    /// Whether what earlier frames computed may be reused.
    public var reuse = ReuseSettings()

    /// Seconds that an anchor may be told to last.
    public static let anchorAges = 0.5...3600.0
    /// The stability that the programs use where nothing is said.
    public static let usualStability = 0.5

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
        try checkNumber("anchor's maximum age", anchorMaximumAge, Self.anchorAges, "0.5 to 3600 seconds")
        try checkNumber("stability", stability, 0...1, "0 (off) to 1 (the most)")
    }
}

private func checkNumber(_ name: String, _ value: Double, _ range: ClosedRange<Double>, _ advice: String)
    throws(EditError)
{
    guard !range.contains(value) else { return }
    throw EditError("the \(name) is \(value); give \(advice)")
}

private func checkScale(_ name: String, _ value: Double?, _ range: ClosedRange<Double>) throws(EditError) {
    guard let value, !range.contains(value) else { return }
    throw EditError("the \(name) is \(value); this model takes \(range.lowerBound) to \(range.upperBound)")
}
