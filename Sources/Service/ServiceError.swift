/// Why the program cannot do what it was asked: one sentence with the value seen, the value allowed and what to do.
public struct ServiceError: Error, Equatable, CustomStringConvertible {
    /// The sentence.
    public let message: String

    /// An error with this sentence.
    public init(_ message: String) { self.message = message }

    /// The sentence.
    public var description: String { message }
}
