import CGst

/// How the sound of the input gets into the output.
enum AudioPlan: Equatable {
    /// The input has none.
    case none
    /// The container takes the packets as they are; `stage` is what stands before the muxer.
    case copy(stage: String)
    /// The sound is decoded and encoded again by `encoder`, a piece of gst-launch text.
    case transcode(encoder: String)

    /// The plan for sound of the format `audio` (caps as text) in a container.
    ///
    /// Throws when an encoder is needed and none is installed; the sentence names the Debian package.
    init(audio: String?, output: OutputFormat) throws(MediaError) {
        guard let audio else {
            self = .none
            return
        }
        let caps = try Caps(audio)
        if try Self.takes(output.muxer, caps) {
            self = .copy(stage: Self.parser(for: caps))
        } else {
            self = .transcode(encoder: try Self.encoder(for: output))
        }
    }

    /// The branch from the elements `movied_sound` (a filesrc) to `movied_mux`, as gst-launch text.
    func branch(audio: String?) throws(MediaError) -> String {
        guard let audio else { return "" }
        let kind = try Caps(audio).name
        let head = " filesrc name=movied_sound ! parsebin name=movied_streams movied_streams. ! \(kind) ! queue ! "
        switch self {
        case .none: return ""
        case .copy(let stage): return head + "\(stage) ! movied_mux.audio_0"
        case .transcode(let encoder):
            return head + "decodebin ! audioconvert ! audioresample ! \(encoder) ! queue ! movied_mux.audio_0"
        }
    }

    /// Whether a muxer has a pad for packets of this kind; how they are framed is the parser's business.
    private static func takes(_ muxer: String, _ caps: Caps) throws(MediaError) -> Bool {
        guard let factory = gst_element_factory_find(muxer) else {
            try GStreamer.require([muxer])
            return false
        }
        defer { gst_object_unref(UnsafeMutableRawPointer(factory)) }
        let kind = caps.removing(["stream-format", "framed", "parsed", "alignment"])
        return kind.withRaw { gst_element_factory_can_sink_any_caps(factory, $0) } != 0
    }

    private static func parser(for caps: Caps) -> String {
        switch (caps.name, caps.integer("mpegversion")) {
        case ("audio/mpeg", 1?): "mpegaudioparse"
        case ("audio/mpeg", _): "aacparse"
        default: "identity"
        }
    }

    private static func encoder(for output: OutputFormat) throws(MediaError) -> String {
        let choices = output.audioEncoders
        if let found = choices.first(where: { GStreamer.isInstalled($0.element) }) {
            return "\(found.element) \(found.settings)"
        }
        try GStreamer.require(["avenc_aac", "opusenc"].filter { name in choices.contains { $0.element == name } })
        return ""
    }
}
