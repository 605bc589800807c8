/// Byte-pair encoding of one word: its bytes are joined pair by pair, the pair learned first before all others.
///
/// Reference: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016); the byte alphabet is
/// GPT-2's, and a word's last byte carries the suffix `</w>`. A queue of pairs keeps a word of n bytes at n log n.
struct TokenizerBytePairs: Sendable {
    private struct Pair: Hashable {
        let left: Int
        let right: Int
    }

    private struct Merge {
        let rank: Int
        let id: Int
    }

    static let endOfWord = "</w>"

    private let inner: [Int]
    private let last: [Int]
    private let merges: [Pair: Merge]

    /// Throws when a merge names a token that the vocabulary lacks.
    init(_ folder: TokenizerFolder, unknownToken: Int) throws(TokenizerError) {
        let vocabulary = folder.vocabulary
        inner = Self.alphabet.map { vocabulary[String($0)] ?? unknownToken }
        last = Self.alphabet.map { vocabulary[String($0) + Self.endOfWord] ?? unknownToken }
        var merges: [Pair: Merge] = Dictionary(minimumCapacity: folder.merges.count)
        for (rank, (left, right)) in folder.merges.enumerated() {
            guard let leftID = vocabulary[left], let rightID = vocabulary[right], let id = vocabulary[left + right]
            else { throw folder.unknownMerge(left, right) }
            merges[Pair(left: leftID, right: rightID)] = Merge(rank: rank, id: id)
        }
        self.merges = merges
    }

    /// The 256 characters that stand for bytes: printable ones for themselves, the others from U+0100 on.
    static let alphabet: [Character] = {
        let printable = [33...126, 161...172, 174...255]
        var next: UInt32 = 256
        return (0..<256).map { byte -> Character in
            if printable.contains(where: { $0.contains(byte) }) { return Character(Unicode.Scalar(UInt8(byte))) }
            defer { next += 1 }
            return Unicode.Scalar(next).map(Character.init) ?? " "
        }
    }()

    /// Appends the ids of a word of UTF-8 bytes.
    func append(_ word: [UInt8], to ids: inout [Int]) {
        guard let final = word.last else { return }
        var symbols = word.dropLast().map { inner[Int($0)] }
        symbols.append(last[Int(final)])
        var joining = Joining(symbols, merges)
        joining.run()
        ids += joining.result
    }

    /// The symbols of a word while pairs are joined: a linked list, and a queue of the pairs that may be.
    private struct Joining {
        private struct Candidate: Comparable {
            let rank: Int
            let position: Int

            static func < (a: Candidate, b: Candidate) -> Bool {
                (a.rank, a.position) < (b.rank, b.position)
            }
        }

        private static let removed = -1
        private let merges: [Pair: Merge]
        private var symbols: [Int]
        private var next: [Int]
        private var previous: [Int]
        private var queue = TokenizerQueue<Candidate>()

        init(_ symbols: [Int], _ merges: [Pair: Merge]) {
            self.symbols = symbols
            self.merges = merges
            next = symbols.indices.map { $0 + 1 }
            previous = symbols.indices.map { $0 - 1 }
            symbols.indices.forEach { consider($0) }
        }

        var result: [Int] { symbols.filter { $0 != Self.removed } }

        mutating func run() {
            while let candidate = queue.pop() {
                // A candidate is stale when either symbol has since been joined to another: its rank then differs.
                guard let merge = merge(at: candidate.position), merge.rank == candidate.rank else { continue }
                join(candidate.position, as: merge.id)
            }
        }

        private func merge(at position: Int) -> Merge? {
            guard symbols[position] != Self.removed, next[position] < symbols.count else { return nil }
            return merges[Pair(left: symbols[position], right: symbols[next[position]])]
        }

        private mutating func consider(_ position: Int) {
            guard let merge = merge(at: position) else { return }
            queue.push(Candidate(rank: merge.rank, position: position))
        }

        private mutating func join(_ position: Int, as id: Int) {
            let joined = next[position]
            symbols[position] = id
            symbols[joined] = Self.removed
            next[position] = next[joined]
            if next[position] < symbols.count { previous[next[position]] = position }
            consider(position)
            if previous[position] >= 0 { consider(previous[position]) }
        }
    }
}
