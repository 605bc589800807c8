import ArgumentParser
import Compute
import Foundation
import Service
import Tensors

/// Times one work when told to, so that another program can take turns with it.
struct TimeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "time", abstract: "Runs a network as often as each line of its input says; prints milliseconds.",
        discussion:
            "Prints {\"ready\": true, ...} once loaded; then, for every line with a whole number N, a JSON array "
            + "of N times in milliseconds. Ends with its input.")

    @OptionGroup var options: WorkOptions

    @Option(help: ArgumentHelp("Run once, write the outputs and end.", valueName: "file"))
    var dump: String?

    func run() throws {
        let start = Measure.now
        let pool = WorkerPool(threads: options.threads)
        defer { pool.shutdown() }
        let work = try Work(
            options.work, folder: options.folder, precision: options.precision, size: options.size,
            prompt: options.prompt, inputs: options.input, pool: pool)
        try work.run()
        if let dump { return try writeSafeTensors(sources: work.results(), to: dump) }
        let loaded = (Measure.now - start) * 1e3
        say(
            "{\"ready\": true, \"load_ms\": \(loaded.text(1)), \"memory_mib\": \(Memory.peakMiB().text(0))}")
        while let line = readLine() {
            guard let count = Int(line.trimmingCharacters(in: .whitespaces)), (1...100_000).contains(count) else {
                throw ValidationError("expected a whole number of runs, 1 to 100000, not '\(line)'")
            }
            let times = try (0..<count).map { _ in try Measure.milliseconds(work.run).text(4) }
            say("[\(times.joined(separator: ", "))]")
        }
    }

    /// A line for the program that reads ours: at once, not when a buffer is full.
    private func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
