/// A prompt that the bundled model was trained on, under a short name.
public struct EditPreset: Sendable {
    /// The short name, as written in a pipeline.
    public let name: StaticString
    /// What it stands for.
    public let prompt: StaticString

    /// All presets; the first is the default. The order is part of the element's interface: new ones go to the end.
    public static let all: [EditPreset] = [
        EditPreset(name: "pencil", prompt: "make it a pencil drawing"),
        EditPreset(name: "ink", prompt: "make it an ink cartoon"),
        EditPreset(name: "watercolor", prompt: "make it a watercolor painting"),
        EditPreset(name: "oil", prompt: "make it an oil painting"),
        EditPreset(name: "van-gogh", prompt: "make it a Van Gogh painting"),
        EditPreset(name: "sepia", prompt: "make it a sepia photograph"),
        EditPreset(name: "noir", prompt: "make it film noir"),
        EditPreset(name: "night", prompt: "make it night"),
        EditPreset(name: "autumn", prompt: "make it autumn"),
        EditPreset(name: "neon", prompt: "add neon edges"),
        EditPreset(name: "pop-art", prompt: "make it pop art"),
        EditPreset(name: "thermal", prompt: "make it a thermal image"),
        EditPreset(name: "cinematic", prompt: "make it cinematic"),
    ]
}
