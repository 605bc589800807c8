import Foundation

/// The repository.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// A file under Sources, with what is code in it.
struct SourceFile: Sendable {
    /// Path below Sources: `Media/Caps.swift`.
    let name: String
    let text: String
    /// The text without comments and the contents of strings.
    let code: String

    /// The target it belongs to.
    var target: String { String(name.prefix { $0 != "/" }) }
    var isSwift: Bool { name.hasSuffix(".swift") }
    var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count }

    /// What it imports or includes, as modules and headers are named.
    var imports: Set<String> {
        let imported = #/(?m)^\s*(?:@\w+ +)?(?:\w+ +)?import +(?:(?:struct|class|enum|func|var) +)?(\w+)/#
        let included = #/(?m)^\s*# *include +["<]([^">]+)[">]/#
        return Set((isSwift ? code : text).matches(of: isSwift ? imported : included).map { String($0.1) })
    }

    static let all: [SourceFile] = {
        let root = "\(repository)/Sources"
        let names = (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []).sorted()
        return names.filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h") }.compactMap { name in
            guard let text = try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8) else { return nil }
            return SourceFile(name: name, text: text, code: withoutCommentsAndStrings(text))
        }
    }()
}

/// Removes comments and what stands between quotes. Code inside an interpolation counts as part of its string.
func withoutCommentsAndStrings(_ text: String) -> String {
    let pattern = #/(?s)"""(?:\\.|.)*?"""|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*//#
    return text.replacing(pattern) { match in match.0.hasPrefix("\"") ? "\"\"" : " " }
}
