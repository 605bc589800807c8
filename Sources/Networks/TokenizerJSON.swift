/// The shapes of a tokenizer's JSON files.
enum TokenizerJSON {
    /// How a file names a special token: a string, or an object with its `content`.
    struct Mention: Decodable {
        let content: String
        let isNormalized: Bool

        private enum Key: String, CodingKey { case content, normalized }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                (content, isNormalized) = (text, false)
            } else {
                let object = try decoder.container(keyedBy: Key.self)
                content = try object.decode(String.self, forKey: .content)
                isNormalized = try object.decodeIfPresent(Bool.self, forKey: .normalized) ?? false
            }
        }
    }

    /// A token beside the vocabulary; its id is in the object (tokenizer.json) or the key (`added_tokens_decoder`).
    struct Added: Decodable {
        let content: String
        var id: Int?
        let isNormalized: Bool
        let isSingleWord: Bool

        private enum Key: String, CodingKey {
            case content, id, normalized, special
            case singleWord = "single_word"
        }

        init(content: String, id: Int, isNormalized: Bool) {
            (self.content, self.id, self.isNormalized, isSingleWord) = (content, id, isNormalized, false)
        }

        init(from decoder: any Decoder) throws {
            let object = try decoder.container(keyedBy: Key.self)
            content = try object.decode(String.self, forKey: .content)
            id = try object.decodeIfPresent(Int.self, forKey: .id)
            let isSpecial = try object.decodeIfPresent(Bool.self, forKey: .special) ?? false
            isNormalized = try object.decodeIfPresent(Bool.self, forKey: .normalized) ?? !isSpecial
            isSingleWord = try object.decodeIfPresent(Bool.self, forKey: .singleWord) ?? false
        }
    }

    /// tokenizer_config.json; special_tokens_map.json has the special tokens alone.
    struct Config: Decodable {
        var mentions: [TokenizerFolder.Role: Mention] = [:]
        var addedTokens: [Added] = []
        var maximumLength: Double?

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let object = try decoder.container(keyedBy: Key.self)
            for role in TokenizerFolder.Role.allCases {
                mentions[role] = try object.decodeIfPresent(Mention.self, forKey: Key(stringValue: role.rawValue))
            }
            maximumLength = try object.decodeIfPresent(Double.self, forKey: Key(stringValue: "model_max_length"))
            let key = Key(stringValue: "added_tokens_decoder")
            let listed = try object.decodeIfPresent([String: Added].self, forKey: key) ?? [:]
            addedTokens = try listed.map { number, token in
                guard let id = Int(number) else {
                    throw DecodingError.dataCorruptedError(
                        forKey: key, in: object, debugDescription: "The key \(number) is not a number.")
                }
                var token = token
                token.id = id
                return token
            }
        }
    }

    /// tokenizer.json.
    struct File: Decodable {
        struct Model: Decodable {
            let type: String?
            let vocab: [String: Int]
            let merges: [Merge]
            let endOfWordSuffix: String?

            private enum CodingKeys: String, CodingKey {
                case type, vocab, merges
                case endOfWordSuffix = "end_of_word_suffix"
            }
        }

        let model: Model
        let addedTokens: [Added]?

        private enum CodingKeys: String, CodingKey {
            case model
            case addedTokens = "added_tokens"
        }
    }

    /// A merge: "a b", or since 2024 ["a", "b"].
    struct Merge: Decodable {
        let left: String
        let right: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let parts = try (try? container.decode([String].self)) ?? Self.split(container.decode(String.self))
            guard parts.count == 2 else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "A merge is not two tokens.")
            }
            (left, right) = (parts[0], parts[1])
        }

        private static func split(_ text: String) -> [String] {
            text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// What is wrong with a file, to follow its name.
    static func explain(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "cannot be decoded" }
        switch error {
        case .keyNotFound(let key, _): return "has no \"\(key.stringValue)\""
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "has a value of the wrong type\(place(context))"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: return "is not JSON"
        case .dataCorrupted(let context): return "has a wrong value\(place(context))"
        @unknown default: return "cannot be decoded"
        }
    }

    private static func place(_ context: DecodingError.Context) -> String {
        let keys = context.codingPath.map(\.stringValue)
        return keys.isEmpty ? "" : " at \"\(keys.joined(separator: "."))\""
    }
}
