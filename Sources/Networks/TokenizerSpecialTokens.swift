/// Tokens that are recognized in the text itself: begin, end, padding, and what a folder adds to its vocabulary.
///
/// Reference: `AddedVocabulary` of the `tokenizers` library. At each place the longest token matches; tokens marked
/// `normalized` are sought in the normalized text, the others before in the text as given.
struct TokenizerSpecialTokens: Sendable {
    /// A token as a folder describes it.
    struct Token: Equatable, Sendable {
        var content: String
        var id: Int
        var isNormalized: Bool
    }

    /// What a text consists of.
    enum Piece {
        case token(Int)
        /// Normalized text.
        case text([Unicode.Scalar])
    }

    private struct Pattern {
        let scalars: [Unicode.Scalar]
        let id: Int
    }

    /// The largest id of all tokens.
    let largestID: Int
    private let exact: [Pattern]
    private let normalized: [Pattern]

    init(_ tokens: [Token]) {
        let patterns = { (isNormalized: Bool) in
            tokens.filter { $0.isNormalized == isNormalized && !$0.content.isEmpty }
                .map { token in
                    let scalars = Array(token.content.unicodeScalars)
                    return Pattern(scalars: isNormalized ? TokenizerText.normalize(scalars) : scalars, id: token.id)
                }
                .sorted { $0.scalars.count > $1.scalars.count }
        }
        exact = patterns(false)
        normalized = patterns(true)
        largestID = tokens.map(\.id).max() ?? 0
    }

    /// Calls `body` with the text's tokens and the text between them, in order.
    func split(_ text: [Unicode.Scalar], _ body: (Piece) -> Void) {
        Self.split(text[...], by: exact) { id in
            body(.token(id))
        } between: { part in
            Self.split(TokenizerText.normalize(part)[...], by: normalized) { id in
                body(.token(id))
            } between: { part in
                body(.text(Array(part)))
            }
        }
    }

    private static func split(
        _ text: ArraySlice<Unicode.Scalar>, by patterns: [Pattern], token: (Int) -> Void,
        between: (ArraySlice<Unicode.Scalar>) -> Void
    ) {
        var start = text.startIndex, position = start
        while position < text.endIndex {
            guard let match = patterns.first(where: { text[position...].starts(with: $0.scalars) }) else {
                position += 1
                continue
            }
            if start < position { between(text[start..<position]) }
            token(match.id)
            position += match.scalars.count
            start = position
        }
        if start < text.endIndex { between(text[start...]) }
    }
}
