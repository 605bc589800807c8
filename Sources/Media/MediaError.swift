/// What went wrong with a file, a device or a pipeline, in one sentence for the person who asked.
public struct MediaError: Error, Equatable, CustomStringConvertible {
    /// The sentence: what was wrong, the value seen, the value allowed, what to do.
    public let message: String

    /// An error that says `message`.
    public init(_ message: String) {
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}
