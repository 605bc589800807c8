import ArgumentParser
import Foundation
import Scheduling
import Service

struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "Replays cost traces against scheduling policies on a virtual clock.",
        discussion: """
            Without --scenario all scenarios run. A trace is a text file with one frame's work on one thread in
            milliseconds a line, as movie-bench live --costs writes it.
            """)

    enum Scenario: String, CaseIterable, ExpressibleByArgument { case one, load, three, budget, large, huge }

    @Option(help: "Scenarios: \(Scenario.allCases.map(\.rawValue).joined(separator: ", ")). Default: all.")
    var scenario: [Scenario] = []

    @Option(help: "Policies: \(Policy.allCases.map(\.rawValue).joined(separator: ", ")). Default: all.")
    var policy: [Policy] = []

    @Option(help: "Virtual seconds, 1 to 3600.")
    var seconds = 30.0

    @Option(help: ArgumentHelp("Costs to replay instead of synthetic ones.", valueName: "file"))
    var trace: String?

    @Option(help: "Cores, 1 to 1024, instead of the scenario's.")
    var cores: Int?

    @Option(help: "Streams, 1 to 1000, instead of the scenario's.")
    var streams: Int?

    @Option(help: "Frames computed at once, 1 to the number of cores. Default: the scenario's.")
    var lanes: Int?

    @Option(help: "Frames a second of every stream, 1 to 240.")
    var framerate: Double?

    @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
    var json: String?

    func validate() throws {
        func check(_ name: String, _ value: Double?, _ range: ClosedRange<Double>) throws {
            guard let value, !range.contains(value) else { return }
            throw ValidationError("\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)")
        }
        try check("--seconds", seconds, 1...3600)
        try check("--cores", cores.map(Double.init), 1...1024)
        try check("--streams", streams.map(Double.init), 1...1000)
        try check("--lanes", lanes.map(Double.init), 1...Double(cores ?? 1024))
        try check("--framerate", framerate, 1...240)
    }

    func run() throws {
        let recorded = try trace.map { try readTrace($0) }
        var table = TextTable([
            "scenario", "policy", "streams", "fps out", "edited %", "late", "dropped", "age p50", "age p99",
            "shown p99",
        ])
        var figures: [Figure] = [], times: [Double] = []
        for scenario in scenario.isEmpty ? Scenario.allCases : scenario {
            for policy in policy.isEmpty ? Policy.allCases : policy {
                let machine = machine(scenario, recorded)
                var simulation = Simulation(machine, policy: policy)
                let results = simulation.run()
                if scenario == .huge || scenario == .large { times += simulation.decisionTimes }
                add(results, machine, scenario, policy, &table, &figures)
            }
        }
        table.lines().forEach { print($0) }
        times.sort()
        if !times.isEmpty {
            let decisions = [
                Figure("scheduler", "decision, median", times.quantile(0.5) / 1000, "us").atMost(20),
                Figure("scheduler", "decision, p99.9", times.quantile(0.999) / 1000, "us").atMost(20),
            ]
            Figures.print(decisions)
            figures += decisions
        }
        try Figures.write(figures, to: json)
    }

    private func add(
        _ results: [SimulatedResult], _ machine: SimulatedMachine, _ scenario: Scenario, _ policy: Policy,
        _ table: inout TextTable, _ figures: inout [Figure]
    ) {
        var groups: [String] = []
        for stream in machine.streams where !groups.contains(stream.name) { groups.append(stream.name) }
        for group in groups {
            let members = zip(machine.streams, results).filter { $0.0.name == group }.map(\.1)
            let out = members.reduce(0) { $0 + $1.counters.out },
                edited = members.reduce(0) { $0 + $1.counters[.edited] }
            let ages = members.flatMap(\.ages).sorted(), shown = members.flatMap(\.shownAges).sorted()
            let late = members.reduce(0) { $0 + $1.counters.late }
            let dropped = members.reduce(0) { $0 + $1.counters.dropped }
            let rate = Double(out) / machine.seconds / Double(members.count)
            let share = 100 * Double(edited) / Double(max(1, out))
            table.add([
                scenario.rawValue, policy.rawValue, "\(members.count) \(group)", rate.text(1), share.text(1), "\(late)",
                "\(dropped)", ages.quantile(0.5).text(1), ages.quantile(0.99).text(1), shown.quantile(0.99).text(1),
            ])
            let work = "\(scenario) \(policy) \(group)"
            figures += [
                Figure(work, "fps out", rate, "1/s"), Figure(work, "edited", share, "%"),
                Figure(work, "late", Double(late), "frames"), Figure(work, "age p99", ages.quantile(0.99), "ms"),
                Figure(work, "shown age p99", shown.quantile(0.99), "ms"),
            ]
        }
    }

    private func machine(_ scenario: Scenario, _ recorded: [Double]?) -> SimulatedMachine {
        var machine = SimulatedMachine()
        machine.seconds = seconds
        func add(_ name: String, _ count: Int, work: Double, rate: Double = 30) {
            let rate = framerate ?? rate
            for index in 0..<count {
                let costs = recorded ?? synthetic(around: work, seed: UInt64(index + 1))
                var stream = SimulatedStream(name: name, rate: rate, costs: costs, latencyBudget: .seconds(2 / rate))
                stream.steps = max(20, Int(work / 6))
                machine.streams.append(stream)
            }
        }
        switch scenario {
        case .one: add("nano", streams ?? 1, work: 38)
        case .load:
            add("nano", streams ?? 1, work: 38)
            machine.slowdown = 3
            machine.loaded = seconds / 3...2 * seconds / 3
        case .three:
            add("fast", 2, work: 14)
            add("slow", streams.map { max(1, $0 - 2) } ?? 1, work: 1200)
        case .budget:
            add("nano", streams ?? 1, work: 38)
            machine.budget = 50
        case .large:
            machine.cores = 64
            machine.lanes = 16
            add("nano", streams ?? 100, work: 16)
        case .huge:
            machine.cores = 64
            machine.lanes = 16
            add("nano", streams.map { max(1, $0 - 20) } ?? 80, work: 16)
            add("slow", 20, work: 1200)
        }
        if let cores { machine.cores = cores }
        machine.lanes = min(machine.cores, lanes ?? machine.lanes)
        return machine
    }

    /// Costs that mostly stay near the middle; one in fifty takes half as long again.
    private func synthetic(around work: Double, seed: UInt64) -> [Double] {
        var state = seed
        return (0..<997).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let part = Double(state >> 11) * 0x1p-53
            return work * (0.95 + 0.1 * part) * (state >> 33 & 63 == 0 ? 1.5 : 1)
        }
    }

    private func readTrace(_ path: String) throws -> [Double] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ServiceError("the trace '\(path)' cannot be read; give a file with a number of milliseconds a line")
        }
        return try text.split(separator: "\n").enumerated().map { index, line in
            guard let cost = Double(line.trimmingCharacters(in: .whitespaces)), cost > 0, cost < 1e7 else {
                throw ServiceError("\(path):\(index + 1): '\(line)' is not a positive number of milliseconds")
            }
            return cost
        }
    }
}

extension Policy: ExpressibleByArgument {}
