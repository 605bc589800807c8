@_spi(_Unicode) import Swift

/// What CLIP does to text before it looks at bytes: normalization, and the cut into words.
///
/// Reference: the normalizer and the two pre-tokenizers of transformers' `CLIPTokenizer`. Characters are classified by
/// the standard library's Unicode tables, which are newer than the reference's: letters and combining marks that only
/// the newer tables know may be cut otherwise.
enum TokenizerText {
    /// NFC, runs of white space to one space, lower case scalar by scalar.
    static func normalize(_ scalars: some Collection<Unicode.Scalar>) -> [Unicode.Scalar] {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(view.count)
        for scalar in String(view)._nfc {
            if scalar.properties.isWhitespace {
                if result.last != " " { result.append(" ") }
            } else {
                append(lowercased: scalar, to: &result)
            }
        }
        return result
    }

    private static func append(lowercased scalar: Unicode.Scalar, to result: inout [Unicode.Scalar]) {
        if scalar.isASCII {
            let isUpper = ("A"..."Z").contains(scalar)
            result.append(isUpper ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
        } else {
            result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
    }

    /// Calls `body` with the UTF-8 bytes of each word of normalized text: the matches, in order, of
    /// `<|startoftext|>|<|endoftext|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`.
    static func forEachWord(_ text: [Unicode.Scalar], _ body: ([UInt8]) -> Void) {
        var position = 0
        while position < text.count {
            let end = endOfWord(in: text, at: position)
            if text[position] == "<", let name = markerName(in: text, at: position) {
                // GPT-2's pattern, which byte-level pre-tokenization applies to each match, cuts a marker in three.
                body(Array("<|".utf8))
                body(Array(name.utf8))
                body(Array("|>".utf8))
                position += name.utf8.count + 4
                continue
            }
            if classify(text[position]) != .space { body(bytes(of: text[position..<end])) }
            position = end
        }
    }

    private enum Class { case letter, number, space, other }

    private static func classify(_ scalar: Unicode.Scalar) -> Class {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: scalar.properties.isWhitespace ? .space : .other
        }
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }
    private static let markerNames = ["startoftext", "endoftext"]

    /// The end of the contraction, number, or run of one class that begins at `start`.
    private static func endOfWord(in text: [Unicode.Scalar], at start: Int) -> Int {
        if text[start] == "'", let match = contractions.first(where: { text[start...].starts(with: $0) }) {
            return start + match.count
        }
        let kind = classify(text[start])
        guard kind != .number else { return start + 1 }
        return text[start...].firstIndex { classify($0) != kind } ?? text.count
    }

    private static func markerName(in text: [Unicode.Scalar], at start: Int) -> String? {
        markerNames.first { text[start...].starts(with: "<|\($0)|>".unicodeScalars) }
    }

    private static func bytes(of scalars: ArraySlice<Unicode.Scalar>) -> [UInt8] {
        scalars.flatMap { UTF8.encode($0).map(Array.init) ?? [] }
    }
}
