import ArgumentParser
import Foundation
import Service

struct LiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "live", abstract: "Measures live streams in real time, with test sources.",
        discussion: """
            Cases: nano (the real model, undisturbed), load (both cores loaded by another program in the middle third),
            source (a source that stalls, bursts, jumps and changes its rate), streams (three, one with a slow model),
            budget (--cpu-budget), threads (one thread), carried (a slow model: --cost 900, or --model of paper scale),
            large (1280 x 720, edited smaller; as a stream is by default). All but large compute every frame in full. Exit status 1 when a figure is not what it must be.
            """)

    enum Case: String, CaseIterable, ExpressibleByArgument {
        case nano, load, source, streams, budget, threads, carried, large
    }

    @Option(name: .customLong("case"), help: "Which; may be given several times. Default: all.")
    var cases: [Case] = []

    @Option(help: "Seconds a case, 6 to 3600. Default: nano 300, budget 60, others 30.")
    var seconds: Double?

    @Option(
        help: ArgumentHelp(
            "Edit with a stand-in that computes for so long on all threads, instead of the real model; not in nano.",
            valueName: "ms"))
    var cost: Double?

    @Option(
        help: ArgumentHelp(
            "The model folder of the cases with the real model. Default: the bundled nano.", valueName: "dir"))
    var model: String?

    @Option(help: "Per cent of all processors in the case budget, 1 to 100.")
    var budget = 50.0

    @Option(help: ArgumentHelp("Write what each edit cost, for movie-bench schedule --trace.", valueName: "file"))
    var costs: String?

    @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
    var json: String?

    func validate() throws {
        if let seconds, !(6...3600).contains(seconds) {
            throw ValidationError("--seconds is \(seconds); it must be from 6 to 3600")
        }
        if let cost, !(0.1...10_000).contains(cost) {
            throw ValidationError("--cost is \(cost); it must be from 0.1 to 10000 milliseconds")
        }
        if !(1...100).contains(budget) { throw ValidationError("--budget is \(budget); it must be from 1 to 100") }
    }

    func run() throws {
        var cases = LiveCases(cost: cost, model: model, budget: budget)
        var figures: [Figure] = []
        for name in self.cases.isEmpty ? Case.allCases : self.cases {
            Terminal.line("\(name): running")
            switch name {
            case .nano: figures += try cases.nano(seconds ?? 300)
            case .load: figures += try cases.load(seconds ?? 30)
            case .source: figures += try cases.source()
            case .streams: figures += try cases.streams(seconds ?? 30)
            case .budget: figures += try cases.budget(seconds ?? 60)
            case .threads: figures += try cases.threads(seconds ?? 30)
            case .carried: figures += try cases.carried(seconds ?? 30)
            case .large: figures += try cases.large(seconds ?? 30)
            }
        }
        Figures.print(figures)
        try Figures.write(figures, to: json)
        if let costs {
            try cases.trace.map { "\($0)\n" }.joined().write(toFile: costs, atomically: true, encoding: .utf8)
        }
        if figures.contains(where: { $0.holds == false }) { throw ExitCode(1) }
    }
}
