import FoundationEssentials
import Glibc

/// The contents of a tokenizer's folder, in the layouts that transformers writes and reads.
struct TokenizerFolder {
    /// Tokens with a meaning of their own. Their names in the files, and transformers' defaults.
    enum Role: String, CaseIterable {
        case begin = "bos_token"
        case end = "eos_token"
        case unknown = "unk_token"
        case pad = "pad_token"

        var defaultContent: String { self == .begin ? "<|startoftext|>" : "<|endoftext|>" }
    }

    /// CLIP's context, for folders that do not say (transformers writes 10^30 for "no limit").
    private static let usualLength = 77
    private static let lengths = 3.0...65_536.0
    private static let ids = 0...0xFF_FFFF

    let maximumLength: Int
    let vocabulary: [String: Int]
    let merges: [(String, String)]

    private let path: String
    private let source: String  // the file that holds the vocabulary
    private let mentions: [Role: TokenizerJSON.Mention]
    private let added: [TokenizerJSON.Added]

    init(_ path: String) throws(TokenizerError) {
        self.path = path
        let config = try Self.decode(TokenizerJSON.Config.self, path, "tokenizer_config.json") ?? .init()
        let contents = try Self.contents(path)
        vocabulary = contents.vocabulary
        merges = contents.merges
        source = contents.source
        added = try Self.added(path, config, contents.added)
        mentions = try Self.mentions(path, config)
        maximumLength = try Self.length(path, config)
        try check()
    }

    /// The id of a special token.
    func id(of role: Role) throws(TokenizerError) -> Int {
        let content = content(of: role)
        if let id = vocabulary[content] ?? added.first(where: { $0.content == content })?.id { return id }
        throw TokenizerError(
            "\(path)/\(source) has no token \"\(content)\", the tokenizer's \(role.rawValue): correct "
                + "tokenizer_config.json or copy the vocabulary that belongs to it")
    }

    /// The tokens to recognize inside a text.
    func specialTokens() throws(TokenizerError) -> TokenizerSpecialTokens {
        var tokens: [TokenizerSpecialTokens.Token] = []
        for token in added where token.id != nil {
            tokens.append(.init(content: token.content, id: token.id ?? 0, isNormalized: token.isNormalized))
        }
        for role in Role.allCases where !tokens.contains(where: { $0.content == content(of: role) }) {
            let content = content(of: role)
            tokens.append(.init(content: content, id: try id(of: role), isNormalized: isNormalized(content)))
        }
        return TokenizerSpecialTokens(tokens)
    }

    /// The error for a merge whose parts or result are not in the vocabulary.
    func unknownMerge(_ left: String, _ right: String) -> TokenizerError {
        TokenizerError(
            "\(path): the merge \"\(left) \(right)\" needs a token that \(source) lacks: copy a vocabulary and merges "
                + "that belong together")
    }

    private func content(of role: Role) -> String { mentions[role]?.content ?? role.defaultContent }

    /// transformers adds a token again for each role that describes it otherwise: the last description stays.
    private func isNormalized(_ content: String) -> Bool {
        let flags = Role.allCases.filter { self.content(of: $0) == content }
            .map { mentions[$0]?.isNormalized ?? false }
        let first = flags.first ?? false
        return flags.contains(!first) ? !first : first
    }

    private func check() throws(TokenizerError) {
        if let bad = vocabulary.first(where: { !Self.ids.contains($0.value) }) {
            throw TokenizerError(
                "\(path)/\(source) gives the token \"\(bad.key)\" the number \(bad.value), outside 0 to "
                    + "\(Self.ids.upperBound): save the tokenizer again")
        }
        if let bad = added.first(where: { $0.id.map(Self.ids.contains) == false }) {
            throw TokenizerError(
                "\(path) adds the token \"\(bad.content)\" with a number outside 0 to \(Self.ids.upperBound): save "
                    + "the tokenizer again")
        }
        if let bad = added.first(where: \.isSingleWord) {
            throw TokenizerError(
                "\(path) marks the token \"\(bad.content)\" as single_word, which is not supported: save the tokenizer "
                    + "without that mark")
        }
    }
}

// MARK: Files

extension TokenizerFolder {
    private struct Contents {
        var vocabulary: [String: Int]
        var merges: [(String, String)]
        var added: [TokenizerJSON.Added] = []
        var source: String
    }

    private static func contents(_ path: String) throws(TokenizerError) -> Contents {
        if exists(path, "vocab.json"), exists(path, "merges.txt") {
            guard let vocabulary = try decode([String: Int].self, path, "vocab.json") else { throw missing(path) }
            return Contents(vocabulary: vocabulary, merges: try readMerges(path), source: "vocab.json")
        }
        guard let file = try decode(TokenizerJSON.File.self, path, "tokenizer.json") else { throw missing(path) }
        guard file.model.type ?? "BPE" == "BPE", file.model.endOfWordSuffix == TokenizerBytePairs.endOfWord else {
            throw TokenizerError(
                "\(path)/tokenizer.json is not CLIP's (its model must be BPE with the end_of_word_suffix "
                    + "\"</w>\"): copy the tokenizer that belongs to the text encoder")
        }
        return Contents(
            vocabulary: file.model.vocab, merges: file.model.merges.map { ($0.left, $0.right) },
            added: file.addedTokens ?? [], source: "tokenizer.json")
    }

    private static func missing(_ path: String) -> TokenizerError {
        let have = ["vocab.json", "merges.txt"].filter { exists(path, $0) }
        let state = have.isEmpty ? "none of them is there" : "only \(have[0]) is there"
        return TokenizerError(
            "\(path) needs vocab.json and merges.txt, or tokenizer.json, and \(state): copy the tokenizer's files "
                + "into it")
    }

    /// tokenizer_config.json's added tokens, else tokenizer.json's and those of an old added_tokens.json.
    private static func added(
        _ path: String, _ config: TokenizerJSON.Config, _ others: [TokenizerJSON.Added]
    ) throws(TokenizerError) -> [TokenizerJSON.Added] {
        guard config.addedTokens.isEmpty else { return config.addedTokens }
        let old = try decode([String: Int].self, path, "added_tokens.json") ?? [:]
        return others + old.map { .init(content: $0.key, id: $0.value, isNormalized: true) }
    }

    /// special_tokens_map.json goes before tokenizer_config.json, unless the latter lists its added tokens.
    private static func mentions(
        _ path: String, _ config: TokenizerJSON.Config
    ) throws(TokenizerError) -> [Role: TokenizerJSON.Mention] {
        guard config.addedTokens.isEmpty else { return config.mentions }
        let map = try decode(TokenizerJSON.Config.self, path, "special_tokens_map.json") ?? .init()
        return config.mentions.merging(map.mentions) { _, new in new }
    }

    private static func length(_ path: String, _ config: TokenizerJSON.Config) throws(TokenizerError) -> Int {
        guard let length = config.maximumLength, length < 1e18 else { return usualLength }
        guard lengths.contains(length), length == length.rounded() else {
            throw TokenizerError(
                "\(path)/tokenizer_config.json says model_max_length \(length), which must be a whole number from "
                    + "\(Int(lengths.lowerBound)) to \(Int(lengths.upperBound)): write the text encoder's "
                    + "max_position_embeddings")
        }
        return Int(length)
    }

    /// merges.txt: a version line, then two tokens a line.
    private static func readMerges(_ path: String) throws(TokenizerError) -> [(String, String)] {
        let bytes = try read(path, "merges.txt")
        var merges: [(String, String)] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.isEmpty || line.starts(with: "#version".utf8) { continue }
            let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                .map { String(validating: $0, as: UTF8.self) ?? "" }
            guard parts.count == 2, !parts.contains("") else {
                throw TokenizerError(
                    "\(path)/merges.txt, line \(number + 1): two tokens with a space between them were expected: copy "
                        + "the file again")
            }
            merges.append((parts[0], parts[1]))
        }
        return merges
    }

    private static func exists(_ path: String, _ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

    /// The decoded contents of a JSON file, or nil when there is none.
    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ path: String, _ name: String
    ) throws(TokenizerError) -> Value? {
        guard exists(path, name) else { return nil }
        let data = Data(try read(path, name))
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw TokenizerError("\(path)/\(name) \(TokenizerJSON.explain(error)): copy the file again")
        }
    }

    private static func read(_ path: String, _ name: String) throws(TokenizerError) -> [UInt8] {
        let descriptor = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, name) }
        defer { close(descriptor) }
        var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 { bytes += buffer[..<count] } else if errno != EINTR { throw unreadable(path, name) }
        }
    }

    private static func unreadable(_ path: String, _ name: String) -> TokenizerError {
        let reason = String(cString: strerror(errno))
        return TokenizerError("\(path)/\(name) cannot be read (\(reason)): check the file and its permissions")
    }
}
