import Testing

/// A configuration key, a value it must not have, and what the error says.
public struct BadKey: Sendable, CustomTestStringConvertible {
    /// The key.
    public let key: String
    /// A value that JSON can hold.
    public let value: any Sendable
    /// The sentence, or a part of it.
    public let expected: String

    /// `key` = `value` gets the sentence `expected`.
    public init(_ key: String, _ value: any Sendable, _ expected: String) {
        self.key = key
        self.value = value
        self.expected = expected
    }

    /// For the name of the test.
    public var testDescription: String { "\(key) = \(value)" }
}
