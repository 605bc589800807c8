import ArgumentParser
import Editing
import Frames
import Networks
import Scheduling
import Service

/// What the editor should be; shared by `edit` and `run`.
struct EditorOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A model folder in diffusers layout. Default: the bundled nano.", valueName: "dir"))
    var model: String?

    @Option(help: "How strongly the edit follows the prompt. Range and default: movied model info.")
    var guidanceScale: Double?

    @Option(help: "How closely it stays to the source. Range and default: movied model info.")
    var imageGuidanceScale: Double?

    @Option(help: "Chooses the noise that every frame starts from.")
    var seed: UInt64 = 0

    @Option(help: "Size of the output, for example 512x384; even, from 64. Default: the input's.")
    var size: FrameSize?

    @Option(help: "Arithmetic. Default: int8 where the model was quantized, else float.")
    var precision: Precision?

    @Option(help: "Threads to compute with, 1 to 256. Default: all processors.")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The frame that the others attend to, which holds them together: none, rolling (of each scene) or, for files, "
                + "middle. Default: middle for edit; for run what the model says, else none.", valueName: "which"))
    var anchor: String?

    @Option(
        help: ArgumentHelp("Renew a rolling anchor after so long, 0.5 s to 3600 s. Default: 10 s.", valueName: "time"))
    var anchorMaxAge: String?

    @Option(help: "How much flicker is taken out where the source stands still, 0 to 1. Default: 0.5.")
    var stability: String?

    @Flag(
        inversion: .prefixedNo,
        help: "Compute only what has changed since the last frame (int8 models). Default: on in run, off in edit.")
    var reuse: Bool?

    func validate() throws {
        if let threads { try validating { try Limits.check(threads: threads, "--threads") } }
    }

    /// Throws for an anchor or a stability that cannot be.
    func settings(prompt: String, isLive: Bool) throws -> EditSettings {
        var settings = EditSettings(
            prompt: prompt, guidanceScale: guidanceScale, imageGuidanceScale: imageGuidanceScale, seed: seed)
        if let anchor { settings.anchor = try SettingText.anchor(anchor, "--anchor", isLive: isLive) }
        if let anchorMaxAge { settings.anchorMaximumAge = try SettingText.anchorAge(anchorMaxAge, "--anchor-max-age") }
        settings.stability =
            try stability.map { try SettingText.stability($0, "--stability") } ?? EditSettings.usualStability
        settings.reuse.isOn = reuse ?? (isLive && precision != .float)
        return settings
    }
}

/// Runs `body`; an error becomes a usage error with the same sentence.
func validating<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch {
        throw ValidationError("\(error)")
    }
}

extension FrameSize: ExpressibleByArgument {
    /// From `WIDTHxHEIGHT`.
    public init?(argument: String) {
        guard let size = try? SettingText.size(argument, "size") else { return nil }
        self = size
    }
}
