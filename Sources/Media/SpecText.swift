/// The text `kind:value` of a source or sink, taken apart.
struct SpecText {
    /// What stands before and after the first colon.
    let pair: (kind: String, value: String)

    /// Throws unless there is a colon with something after it.
    init(_ text: String, role: String, forms: [String]) throws(MediaError) {
        guard let colon = text.firstIndex(of: ":") else { throw Self.unknown(text, role: role, forms: forms) }
        let value = text[text.index(after: colon)...]
        guard value.contains(where: { $0 != " " }) else { throw Self.unknown(text, role: role, forms: forms) }
        pair = (String(text[..<colon]), String(value))
    }

    static func unknown(_ text: String, role: String, forms: [String]) -> MediaError {
        MediaError("'\(text)' is not a \(role); it must look like \(forms.joined(separator: ", ")).")
    }
}
