/// Why a model folder cannot be used: one sentence that says what was wrong, the value seen and the value allowed.
public struct ModelError: Error, Equatable, CustomStringConvertible {
    /// The sentence.
    public let message: String

    /// An error with this sentence.
    public init(_ message: String) { self.message = message }

    /// The sentence.
    public var description: String { message }
}
