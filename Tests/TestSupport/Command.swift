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
        let folder =
            Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
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

    /// Runs the program to its end; after `seconds` it gets `signal`, and ten seconds later SIGKILL.
    ///
    /// posix_spawn and polling, because Foundation's Process waits on a run loop, which starves in parallel tests.
    public func run(
        _ arguments: [String], environment: [String: String] = [:], stopAfter seconds: Double = 120,
        with signal: Int32 = SIGKILL
    ) throws -> CommandResult {
        let files = TemporaryFolder()
        let output = files.write("out", []), errors = files.write("err", [])
        let child = try spawn(arguments, environment: environment, output: output, errors: errors)
        var status: Int32 = 0, ticks = 0
        while waitpid(child, &status, WNOHANG) == 0 {
            usleep(5000)
            ticks += 1
            if ticks == Int(seconds * 200) { kill(child, signal) }
            if ticks == Int((seconds + 10) * 200) { kill(child, SIGKILL) }
        }
        func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        let ended = status & 0x7f
        return CommandResult(
            status: ended == 0 ? Int(status >> 8 & 0xff) : -Int(ended), output: text(output), errors: text(errors))
    }

    private func spawn(
        _ arguments: [String], environment: [String: String], output: String, errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY, 0)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child = pid_t()
        let status = posix_spawn(&child, path, &actions, nil, &argv, &envp)
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: status) ?? .EINVAL) }
        return child
    }
}
