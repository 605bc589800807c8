import Foundation

/// What a program left when it ended.
public struct CommandResult: Sendable {
    /// Exit status; negative for a signal.
    public let status: Int
    /// Standard output.
    public let output: String
    /// Standard error.
    public let errors: String
}

/// A program under test.
public struct Command: Sendable {
    /// Path of the program.
    public let path: String

    /// A program at `path`.
    public init(path: String) { self.path = path }

    /// A program of this package, built beside the tests.
    public init(built name: String) {
        let folder = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
            .deletingLastPathComponent() ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        path = folder.appendingPathComponent(name).path
    }

    /// A program in PATH; nil when there is none.
    public init?(inPath name: String) {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        let candidates = folders.map { "\($0)/\(name)" }
        guard let found = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else { return nil }
        path = found
    }

    /// Runs the program to its end, or for `seconds` and then sends `signal`.
    public func run(
        _ arguments: [String], environment: [String: String] = [:], stopAfter seconds: Double = 120,
        with signal: Int32 = SIGKILL
    ) throws -> CommandResult {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let files = TemporaryFolder()
        let output = files.write("out", []), errors = files.write("err", [])
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let pid = process.processIdentifier
        let timer = DispatchSource.makeTimerSource()
        timer.schedule(deadline: .now() + seconds)
        timer.setEventHandler { kill(pid, signal) }
        timer.resume()
        process.waitUntilExit()
        timer.cancel()
        func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        let status = Int(process.terminationStatus)
        return CommandResult(
            status: process.terminationReason == .exit ? status : -status, output: text(output), errors: text(errors))
    }
}
