import ArgumentParser
import Compute
import Foundation
import Service

/// Where the time of a work goes, step by step.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Times every step of a network: median milliseconds, and the share of the peak.")

    @OptionGroup var options: WorkOptions

    @Option(help: "Runs.")
    var runs = 20

    @Option(help: "Steps to print, the slowest first; 0 for all in their order.")
    var top = 30

    func run() throws {
        let pool = WorkerPool(threads: options.threads)
        defer { pool.shutdown() }
        let work = try Work(
            options.work, folder: options.folder, precision: options.precision, size: options.size,
            prompt: options.prompt, inputs: options.input, pool: pool)
        try work.run()
        let whole = try (0..<runs).map { _ in try Measure.milliseconds(work.run) }
        pool.begin()
        let passes = (0..<runs).map { _ in work.plan.profile { Measure.now } }
        pool.end()
        let peak = IntegerPeak.measure() * Double(options.threads)
        var rows = passes[0].indices.map { index in
            (
                name: passes[0][index].name, operations: passes[0][index].operations,
                milliseconds: Measure.median(passes.map { $0[index].seconds * 1e3 })
            )
        }
        let sum = rows.reduce(0) { $0 + $1.milliseconds }
        print(
            "median \(Measure.median(whole).text(2)) ms, best \((whole.min() ?? 0).text(2)); steps together "
                + "\(sum.text(2)) ms; peak of \(options.threads) threads \((peak / 1e9).text(0)) GOP/s")
        if top > 0 { rows = Array(rows.sorted { $0.milliseconds > $1.milliseconds }.prefix(top)) }
        var table = TextTable(["step", "ms", "of the frame", "GMAC", "of the peak"])
        for row in rows {
            let rate = Double(row.operations) * 2 / (row.milliseconds * 1e-3)
            table.add([
                row.name, row.milliseconds.text(3), "\((100 * row.milliseconds / sum).text(1)) %",
                (Double(row.operations) / 1e9).text(3), row.operations == 0 ? "" : "\((100 * rate / peak).text(0)) %",
            ])
        }
        table.lines().forEach { print($0) }
        var groups: [String: (ms: Double, count: Int)] = [:]
        for row in passes[0].indices {
            let name =
                passes[0][row].operations > 0 && passes[0][row].name.contains(".")
                ? "convolutions" : passes[0][row].name
            groups[name, default: (0, 0)].ms += Measure.median(passes.map { $0[row].seconds * 1e3 })
            groups[name, default: (0, 0)].count += 1
        }
        var summary = TextTable(["kind", "steps", "ms"])
        for (name, group) in groups.sorted(by: { $0.value.ms > $1.value.ms }) {
            summary.add([name, "\(group.count)", group.ms.text(3)])
        }
        summary.lines().forEach { print($0) }
    }
}
