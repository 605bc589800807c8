import CGst
import Synchronization

/// One published picture, kept for a file.
final class Snapshot: Sendable {
    private struct Kept: @unchecked Sendable { let buffer: UnsafeMutablePointer<GstBuffer> }

    private let wanted = Atomic<Bool>(false)
    private let kept = Mutex<Kept?>(nil)

    /// Asks for the next picture.
    func ask() { wanted.store(true, ordering: .relaxed) }

    /// Whether a picture is wanted.
    var isWanted: Bool { wanted.load(ordering: .relaxed) }

    /// Takes a picture, if one is wanted. Keeps a reference of its own.
    func offer(_ buffer: UnsafeMutablePointer<GstBuffer>) {
        guard wanted.exchange(false, ordering: .relaxed) else { return }
        let new = Kept(buffer: gst_buffer_ref(buffer))
        let old = kept.withLock { kept in
            defer { kept = new }
            return kept
        }
        if let old { gst_buffer_unref(old.buffer) }
    }

    /// Writes the picture that was kept to `path`, whose extension is .jpg, .jpeg or .png; false when there is none.
    func write(to paths: [String], caps: Caps) throws(MediaError) -> Bool {
        guard
            let picture = kept.withLock({ kept in
                defer { kept = nil }
                return kept
            })
        else { return false }
        defer { gst_buffer_unref(picture.buffer) }
        for path in paths { try Self.write(picture.buffer, to: path, caps: caps) }
        return true
    }

    private static func write(
        _ buffer: UnsafeMutablePointer<GstBuffer>, to path: String, caps: Caps
    ) throws(MediaError) {
        let encoder = path.lowercased().hasSuffix(".png") ? "pngenc" : "jpegenc quality=92"
        let file = try OutputFile(path: path)
        let text = "appsrc name=movied_frames format=time ! videoconvert ! \(encoder) ! filesink name=movied_file"
        let pipeline = try Pipeline(text, subject: "the snapshot '\(path)' fails")
        cgst_set_string(try pipeline.element("movied_file"), "location", file.temporaryPath)
        let writer = try FrameWriter(pipeline, name: "movied_frames", capacity: 2)
        writer.setFormat(caps)
        try pipeline.set(GST_STATE_PLAYING)
        _ = writer.push(gst_buffer_ref(buffer))
        writer.finish()
        switch pipeline.nextEvent(timeout: 5_000_000_000) {
        case .failure(let error): throw error
        case .endOfStream: break
        case nil: throw MediaError("the snapshot '\(path)' was not written within 5 seconds.")
        }
        pipeline.stop()
        try file.commit()
    }
}
