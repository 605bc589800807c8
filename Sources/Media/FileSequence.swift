import Glibc

/// Files with a number in their names: `shots/desk-%03d.jpg`.
public struct FileSequence: Equatable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let description: String
    private let before: String
    private let digits: Int
    private let after: String

    /// Reads a name with one `%d`, `%02d` and so on in it. Throws a sentence when there is none, or more than one, or when
    /// the extension is not among `endings`.
    init(_ text: String, endings: [String]) throws(MediaError) {
        description = text
        let allowed = endings.map { ".\($0)" }.joined(separator: ", ")
        guard endings.contains(where: { text.lowercased().hasSuffix(".\($0)") }) else {
            throw MediaError("the name '\(text)' must end in one of \(allowed).")
        }
        let parts = text.split(separator: "%", omittingEmptySubsequences: false)
        guard parts.count == 2, let end = parts[1].firstIndex(of: "d"),
            parts[1][..<end].allSatisfy(\.isNumber),
            let digits = end == parts[1].startIndex ? 1 : Int(parts[1][..<end]),
            (1...9).contains(digits)
        else {
            throw MediaError(
                "the name '\(text)' needs a place for a number, once: give it as %03d, for example desk-%03d.\(endings[0])."
            )
        }
        before = String(parts[0])
        after = String(parts[1][parts[1].index(after: end)...])
        self.digits = digits
    }

    /// The name with this number.
    func name(_ number: Int) -> String {
        let text = "\(number)"
        return before + String(repeating: "0", count: max(0, digits - text.count)) + text + after
    }

    /// The first name, from 1 on, that no file has.
    func next(exists: (String) -> Bool = { access($0, F_OK) == 0 }) -> String {
        var number = 1
        while exists(name(number)) { number += 1 }
        return name(number)
    }
}
