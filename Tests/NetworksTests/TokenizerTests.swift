import Foundation
import Testing

@testable import Networks

/// Cases made by transformers: Training/reference/tokenizer_cases.py, see each fixture's command.txt.
struct TokenizerCase: Decodable {
    let text: String
    let count: Int
    let ids: [Int]
    let tokens: Int

    var whole: String { String(repeating: text, count: count) }
}

/// A folder's settings over a vocabulary, and its cases.
struct TokenizerVariant: Decodable {
    let files: [String: [String: TokenizerSetting]]
    let cases: [TokenizerCase]
}

/// A JSON value that can be written again.
enum TokenizerSetting: Codable {
    case number(Int)
    case flag(Bool)
    case text(String)
    case object([String: TokenizerSetting])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else {
            self = .object(try container.decode([String: TokenizerSetting].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let value): try container.encode(value)
        case .flag(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

/// Where the fixtures and the real vocabulary are.
enum TokenizerFixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    static let vocabulary = folder.appending(path: "whole-editor/tokenizer")
    static let clip = ProcessInfo.processInfo.environment["MOVIED_CLIP_VOCAB"]

    static func variants(_ folder: URL) throws -> [String: TokenizerVariant] {
        let data = try Data(contentsOf: folder.appending(path: "cases.json"))
        return try JSONDecoder().decode([String: TokenizerVariant].self, from: data)
    }
}

/// A temporary tokenizer folder: some files of a vocabulary, and files written over them.
final class TokenizerScratch {
    let folder = FileManager.default.temporaryDirectory.appending(path: "movied-tokenizer-\(UUID().uuidString)")

    init(copying names: [String] = ["vocab.json", "merges.txt"]) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in names {
            let source = TokenizerFixtures.vocabulary.appending(path: name)
            try FileManager.default.copyItem(at: source, to: folder.appending(path: name))
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func write(_ contents: String, to name: String) throws {
        try Data(contents.utf8).write(to: folder.appending(path: name))
    }

    func tokenizer() throws(TokenizerError) -> CLIPTokenizer { try CLIPTokenizer(folder: folder.path) }

    /// The sentence of the error that loading throws, with the folder's name left out.
    func sentence() -> String? {
        do {
            _ = try tokenizer()
            return nil
        } catch {
            return error.message.replacing(folder.path, with: "DIR")
        }
    }
}

private func expectMatches(_ tokenizer: CLIPTokenizer, _ cases: [TokenizerCase]) {
    for expected in cases {
        let encoding = tokenizer.encode(expected.whole)
        #expect(encoding.ids == expected.ids, "\(expected.text.debugDescription) x \(expected.count)")
        #expect(
            encoding.truncatedTokens == max(0, expected.tokens - (tokenizer.maximumLength - 2)),
            "\(expected.text.debugDescription) x \(expected.count)")
    }
}

@Suite struct TokenizerTests {
    @Test(arguments: ["plain", "stable-diffusion", "open-clip", "added-tokens"])
    func agreesWithTransformers(_ name: String) throws {
        let variants = try TokenizerFixtures.variants(TokenizerFixtures.folder.appending(path: "tokenizer"))
        let variant = try #require(variants[name])
        let scratch = try TokenizerScratch()
        for (file, settings) in variant.files {
            try JSONEncoder().encode(settings).write(to: scratch.folder.appending(path: file))
        }
        expectMatches(try scratch.tokenizer(), variant.cases)
    }

    @Test func readsTokenizerJSONWhenTheVocabularyIsNowhereElse() throws {
        let folder = TokenizerFixtures.folder.appending(path: "tokenizer")
        let variant = try #require(try TokenizerFixtures.variants(folder)["open-clip"])
        expectMatches(try CLIPTokenizer(folder: folder.path), variant.cases)
    }

    @Test func agreesWithTheWholeEditorFixture() throws {
        let tokenizer = try CLIPTokenizer(folder: TokenizerFixtures.vocabulary.path)
        #expect(tokenizer.maximumLength == 16)
        #expect(tokenizer.vocabularySize == 640)
        #expect(tokenizer.beginToken == 638)
        #expect(tokenizer.endToken == 639)
        #expect(tokenizer.padToken == 639)
        let ids = tokenizer.encode("Turn it into a pencil sketch, please!").ids
        #expect(ids == [638, 542, 513, 527, 320, 79, 537, 66, 547, 632, 66, 327, 267, 618, 256, 639])
    }

    @Test(
        .enabled(
            if: TokenizerFixtures.clip != nil,
            "MOVIED_CLIP_VOCAB names no folder with CLIP's vocabulary; Training/reference/README.md makes one"))
    func agreesWithTransformersOnCLIPsVocabulary() throws {
        let folder = URL(filePath: try #require(TokenizerFixtures.clip))
        let variant = try #require(try TokenizerFixtures.variants(folder)["clip"])
        let tokenizer = try CLIPTokenizer(folder: folder.path)
        #expect(tokenizer.vocabularySize == 49_408)
        #expect(tokenizer.encode("a photo of a cat").ids.prefix(7) == [49406, 320, 1125, 539, 320, 2368, 49407])
        expectMatches(tokenizer, variant.cases)
    }

    @Test func takesTenThousandCharactersAtOnce() throws {
        let tokenizer = try CLIPTokenizer(folder: TokenizerFixtures.vocabulary.path)
        let word = String(repeating: "pencil", count: 1667)
        let clock = ContinuousClock()
        let short = clock.measure { _ = tokenizer.encode(String(word.prefix(1000))) }
        let long = clock.measure { _ = tokenizer.encode(word) }
        // Ten times the text: quadratic work would take a hundred times as long.
        #expect(long < short * 40 + .milliseconds(20), "\(short) for 1,000 characters, \(long) for 10,000")
    }

    @Test func hasCLIPsContextWhenTheFolderDoesNotSay() throws {
        let scratch = try TokenizerScratch()
        #expect(try scratch.tokenizer().maximumLength == 77)
        try scratch.write(#"{"model_max_length": 1000000000000000019884624838656}"#, to: "tokenizer_config.json")
        #expect(try scratch.tokenizer().maximumLength == 77)
    }

    @Test func tokensAreAddedBesideTheVocabulary() throws {
        let scratch = try TokenizerScratch()
        try scratch.write(#"{"<Cat-Toy>": 640}"#, to: "added_tokens.json")
        let tokenizer = try scratch.tokenizer()
        #expect(tokenizer.vocabularySize == 641)
        #expect(tokenizer.encode("a <cat-toy>!").ids.prefix(5) == [638, 320, 640, 256, 639])
    }
}

@Suite struct TokenizerErrorTests {
    @Test func filesAreMissing() throws {
        #expect(
            try TokenizerScratch(copying: []).sentence()
                == "DIR needs vocab.json and merges.txt, or tokenizer.json, and none of them is there: copy the "
                + "tokenizer's files into it")
        let sentence = try TokenizerScratch(copying: ["vocab.json"]).sentence()
        #expect(try #require(sentence).contains("only vocab.json is there"))
    }

    @Test(arguments: [
        ("vocab.json", "not json", "DIR/vocab.json is not JSON: copy the file again"),
        ("vocab.json", #"{"a": "b"}"#, "DIR/vocab.json has a value of the wrong type at \"a\": copy the file again"),
        ("vocab.json", #"["a"]"#, "DIR/vocab.json has a value of the wrong type: copy the file again"),
        (
            "vocab.json", #"{"a": -1}"#,
            "DIR/vocab.json gives the token \"a\" the number -1, outside 0 to 16777215: save the tokenizer again"
        ),
        (
            "vocab.json", #"{"a": 0}"#,
            "DIR/vocab.json has no token \"<|startoftext|>\", the tokenizer's bos_token: correct tokenizer_config.json "
                + "or copy the vocabulary that belongs to it"
        ),
        (
            "merges.txt", "#version: 0.2\na b\nabc\n",
            "DIR/merges.txt, line 3: two tokens with a space between them were expected: copy the file again"
        ),
        (
            "merges.txt", "a b c\n",
            "DIR/merges.txt, line 1: two tokens with a space between them were expected: copy the file again"
        ),
        (
            "merges.txt", "q \u{E9}\u{E9}\n",
            "DIR: the merge \"q \u{E9}\u{E9}\" needs a token that vocab.json lacks: copy a vocabulary and merges that "
                + "belong together"
        ),
        (
            "tokenizer_config.json", #"{"model_max_length": 2}"#,
            "DIR/tokenizer_config.json says model_max_length 2.0, which must be a whole number from 3 to 65536: write "
                + "the text encoder's max_position_embeddings"
        ),
        (
            "tokenizer_config.json", #"{"pad_token": 7}"#,
            "DIR/tokenizer_config.json has a value of the wrong type at \"pad_token\": copy the file again"
        ),
        (
            "special_tokens_map.json", #"{"pad_token": {"lstrip": false}}"#,
            "DIR/special_tokens_map.json has no \"content\": copy the file again"
        ),
        (
            "tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "y"}}}"#,
            "DIR/tokenizer_config.json has a wrong value at \"added_tokens_decoder\": copy the file again"
        ),
        (
            "tokenizer_config.json", #"{"added_tokens_decoder": {"3": {"content": "y", "single_word": true}}}"#,
            "DIR marks the token \"y\" as single_word, which is not supported: save the tokenizer without that mark"
        ),
    ])
    func aFileIsWrong(_ name: String, _ contents: String, _ sentence: String) throws {
        let scratch = try TokenizerScratch()
        try scratch.write(contents, to: name)
        #expect(scratch.sentence() == sentence)
    }

    @Test func aFileIsAFolder() throws {
        let scratch = try TokenizerScratch(copying: ["vocab.json"])
        try FileManager.default.createDirectory(
            at: scratch.folder.appending(path: "merges.txt"), withIntermediateDirectories: false)
        #expect(
            scratch.sentence()
                == "DIR/merges.txt cannot be read (Is a directory): check the file and its permissions")
    }

    @Test func tokenizerJSONIsOfAnotherKind() throws {
        let scratch = try TokenizerScratch(copying: [])
        try scratch.write(#"{"model": {"type": "WordPiece", "vocab": {}, "merges": []}}"#, to: "tokenizer.json")
        #expect(try #require(scratch.sentence()).hasPrefix("DIR/tokenizer.json is not CLIP's"))
        try scratch.write(
            #"{"model": {"vocab": {}, "merges": ["a b c"], "end_of_word_suffix": "</w>"}}"#, to: "tokenizer.json")
        #expect(try #require(scratch.sentence()).contains("has a wrong value at \"model.merges"))
    }
}

@Suite struct TokenizerPartsTests {
    @Test func theQueueSorts() {
        var queue = TokenizerQueue<Int>()
        let numbers = (0..<200).map { ($0 * 73) % 199 }
        numbers.forEach { queue.push($0) }
        #expect((0..<200).compactMap { _ in queue.pop() } == numbers.sorted())
        #expect(queue.pop() == nil)
    }

    @Test func theAlphabetIsGPT2s() {
        let alphabet = TokenizerBytePairs.alphabet
        #expect(Set(alphabet).count == 256)
        #expect(alphabet[0] == "Ā")
        #expect(alphabet[0x20] == "Ġ")
        #expect(alphabet[0x41] == "A")
        #expect(alphabet[0xAD] == "Ń")
    }
}
