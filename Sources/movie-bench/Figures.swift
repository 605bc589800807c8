import Foundation
import Service

/// One measured figure of a case, with what it must reach.
struct Figure: Encodable {
    let work: String
    let figure: String
    let value: Double
    let unit: String
    /// For people: "at least 99"; nil where nothing is asked.
    var must: String?
    var holds: Bool?

    init(_ work: String, _ figure: String, _ value: Double, _ unit: String) {
        self.work = work
        self.figure = figure
        self.value = value
        self.unit = unit
    }

    /// The same figure, which must lie in a range.
    func within(_ range: ClosedRange<Double>) -> Figure {
        var result = self
        let low = range.lowerBound, high = range.upperBound
        result.must =
            low.isFinite && high.isFinite
            ? "\(plain(low)) to \(plain(high))" : low.isFinite ? "at least \(plain(low))" : "at most \(plain(high))"
        result.holds = range.contains(value)
        return result
    }

    func atMost(_ limit: Double) -> Figure { within(-.infinity...limit) }
    func atLeast(_ limit: Double) -> Figure { within(limit...(.infinity)) }

    private func plain(_ number: Double) -> String { number == number.rounded() ? "\(Int(number))" : number.text(2) }
}

/// Prints figures as a table and writes them as JSON.
enum Figures {
    static func print(_ figures: [Figure]) {
        var table = TextTable(["case", "figure", "value", "unit", "must be", "holds"])
        for figure in figures {
            table.add([
                figure.work, figure.figure, figure.value.text(2), figure.unit, figure.must ?? "",
                figure.holds.map { $0 ? "yes" : "NO" } ?? "",
            ])
        }
        table.lines().forEach { Swift.print($0) }
    }

    static func write(_ figures: [Figure], to path: String?) throws {
        guard let path else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            try encoder.encode(figures).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ServiceError("cannot write the figures \(path): \(error.localizedDescription)")
        }
    }
}

extension [Double] {
    /// The quantile `part`, in 0...1, of sorted numbers; 0 when there are none.
    func quantile(_ part: Double) -> Double {
        isEmpty ? 0 : self[Swift.min(count - 1, Int((Double(count - 1) * part).rounded(.up)))]
    }
}
