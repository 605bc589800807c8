import CGst

/// A video file format that can be written, chosen by the extension of the path.
enum OutputFormat: String, CaseIterable {
    case mp4
    case mkv
    case webm

    /// The format for `path`. Throws for any other extension; the sentence names those allowed.
    init(path: String) throws(MediaError) {
        let name = path.split(separator: "/").last ?? ""
        let dot = name.lastIndex(of: ".")
        let ending = dot.map { name[name.index(after: $0)...].lowercased() } ?? ""
        guard let format = Self(rawValue: ending) else {
            let seen = ending.isEmpty ? "no extension" : "the extension '.\(ending)'"
            throw MediaError("the output '\(path)' has \(seen); allowed are .mp4, .mkv and .webm.")
        }
        self = format
    }

    /// The element that writes the container.
    var muxer: String {
        switch self {
        case .mp4: "mp4mux"
        case .mkv: "matroskamux"
        case .webm: "webmmux"
        }
    }

    /// The element that encodes the pictures.
    var encoder: String { self == .webm ? "vp8enc" : "x264enc" }

    /// The encoder with its settings: near-transparent for a file, quick for a live recording.
    func encoding(isLive: Bool) -> String {
        switch (self, isLive) {
        case (.webm, _):
            // Not vp9enc: at this quality libvpx's quick VP9 leaves frames out.
            "vp8enc deadline=1 cpu-used=\(isLive ? 12 : 8) end-usage=cq cq-level=10 max-quantizer=36 "
                + "bits-per-pixel=0.4 threads=2 keyframe-max-dist=250"
        case (_, false): "x264enc pass=qual quantizer=18 speed-preset=fast bframes=0"
        case (_, true): "x264enc pass=qual quantizer=20 speed-preset=veryfast tune=zerolatency key-int-max=120"
        }
    }

    /// The elements that writing needs.
    var elements: [String] { ["appsrc", "videoconvert", encoder, muxer, "filesink"] }

    /// Encoders for sound that this container cannot take as it is, the best first, with their settings.
    var audioEncoders: [(element: String, settings: String)] {
        switch self {
        case .mp4, .mkv:
            [("fdkaacenc", "bitrate=192000"), ("avenc_aac", "bitrate=192000"), ("voaacenc", "bitrate=192000")]
        case .webm: [("opusenc", "bitrate=160000")]
        }
    }
}
