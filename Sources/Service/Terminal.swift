import Foundation

/// Lines for people, on standard error.
public enum Terminal {
    /// Whether standard error is a terminal, where a progress bar can be redrawn.
    public static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes a line.
    public static func line(_ text: String) { write(text + "\n") }

    /// Writes text as it is.
    public static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// `movied: warning: …`
    public static func warn(_ text: String) { line("movied: warning: \(text)") }
}

/// Numbers for people.
extension Double {
    /// With this many digits behind the point.
    public func text(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }
}

/// A table of columns for people: names to the left, numbers to the right.
public struct TextTable {
    private var rows: [[String]]

    /// A table with these headings.
    public init(_ headings: [String]) { rows = [headings] }

    /// Adds a row; as many cells as there are headings.
    public mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The rows as lines, columns aligned.
    public func lines() -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            return cells.joined(separator: "  ")
        }
    }
}
