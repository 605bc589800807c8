/// Why a tokenizer's files cannot be used: one sentence with the file, what is wrong and what to do.
public struct TokenizerError: Error, CustomStringConvertible, Equatable {
    /// The sentence.
    public let message: String

    /// Makes an error of a sentence.
    public init(_ message: String) {
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}
