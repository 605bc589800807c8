/// CLIP's tokenizer: a prompt becomes the token ids of a CLIPTextModel, as transformers' CLIPTokenizer makes them.
///
/// Reference: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021), section
/// 2.4, and transformers' `CLIPTokenizer` with the `tokenizers` library. The text is normalized (`TokenizerText`), special
/// tokens inside it are recognized (`TokenizerSpecialTokens`), and its words become byte pairs (`TokenizerBytePairs`).
public struct CLIPTokenizer: Sendable {
    /// The token ids of a text, as long as the model's context.
    public struct Encoding: Equatable, Sendable {
        /// The begin token, the text's tokens, the end token and padding: `maximumLength` ids.
        public let ids: [Int]
        /// How many of the text's last tokens found no room.
        public let truncatedTokens: Int
    }

    /// How many ids an encoding has: `model_max_length`.
    public let maximumLength: Int
    /// All ids are below this: the least `vocab_size` that a text encoder needs.
    public let vocabularySize: Int
    /// `bos_token`: the first id of every encoding.
    public let beginToken: Int
    /// `eos_token`: follows the text.
    public let endToken: Int
    /// `pad_token`: fills an encoding up; the end token, or in OpenCLIP's models token 0, "!".
    public let padToken: Int

    private let specialTokens: TokenizerSpecialTokens
    private let bytePairs: TokenizerBytePairs

    /// Reads a `tokenizer/` folder: vocab.json and merges.txt, else tokenizer.json; tokenizer_config.json and
    /// special_tokens_map.json where they exist.
    public init(folder path: String) throws(TokenizerError) {
        let folder = try TokenizerFolder(path)
        maximumLength = folder.maximumLength
        beginToken = try folder.id(of: .begin)
        endToken = try folder.id(of: .end)
        padToken = try folder.id(of: .pad)
        specialTokens = try folder.specialTokens()
        bytePairs = try TokenizerBytePairs(folder, unknownToken: folder.id(of: .unknown))
        let largest = max(folder.vocabulary.values.max() ?? 0, specialTokens.largestID)
        vocabularySize = largest + 1
    }

    /// The ids of a text, padded or truncated to `maximumLength`; the end token is kept when the text is cut.
    public func encode(_ text: String) -> Encoding {
        let tokens = tokenize(text)
        let room = maximumLength - 2
        var ids = [beginToken] + tokens.prefix(room) + [endToken]
        ids += repeatElement(padToken, count: maximumLength - ids.count)
        return Encoding(ids: ids, truncatedTokens: max(0, tokens.count - room))
    }

    /// All the text's tokens, without begin and end.
    func tokenize(_ text: String) -> [Int] {
        var ids: [Int] = []
        specialTokens.split(Array(text.unicodeScalars)) { piece in
            switch piece {
            case .token(let id): ids.append(id)
            case .text(let scalars):
                TokenizerText.forEachWord(scalars) { word in bytePairs.append(word, to: &ids) }
            }
        }
        return ids
    }
}
