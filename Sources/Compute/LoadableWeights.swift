/// Numbers that a step reads beside its inputs, loaded when its plan is made.
protocol LoadableWeights: Sendable {
    /// Reads and packs them, once; further calls, from any thread, do nothing.
    func load()
}
