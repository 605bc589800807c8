import CGst
import Frames

/// Edits a video file frame by frame into another file.
///
/// The output has the input's frames, timestamps, size (unless one is given), pixel aspect ratio and sound. It appears
/// under its name only when it is whole.
public final class FileEditJob {
    private let input: String
    private let output: String
    private let size: FrameSize?
    private let editor: any FrameEditor
    private let progress: (FileEditProgress) -> Void
    private let isCancelled: () -> Bool
    private let message: (String) -> Void
    private let timed: (any TimedEditor)?

    private static let stallSeconds = 60.0

    /// A job that reads `input` and writes `output`, whose extension (.mp4, .mkv, .webm) chooses the format.
    ///
    /// `size` scales the pictures: even sides from 64 pixels; nil keeps the input's. `progress` is told each frame on
    /// the thread that runs the job; `isCancelled` is asked there at least every tenth of a second between edits;
    /// `message` is told what a person should know.
    public init(
        input: String, output: String, size: FrameSize? = nil, editor: any FrameEditor,
        progress: @escaping (FileEditProgress) -> Void = { _ in }, isCancelled: @escaping () -> Bool = { false },
        message: @escaping (String) -> Void = { _ in }
    ) {
        self.input = input
        self.output = output
        self.size = size
        self.editor = editor
        self.progress = progress
        self.isCancelled = isCancelled
        self.message = message
        timed = editor as? any TimedEditor
    }

    /// Runs the job on the calling thread, until the end or until it is cancelled.
    ///
    /// Throws a `MediaError` for bad input, an output that cannot be written or a full disk, and whatever the editor
    /// throws, unchanged. Unless the summary says that the job is complete, the output is as it was before.
    public func run() throws -> FileEditSummary {
        let format = try OutputFormat(path: output)
        try GStreamer.require(format.elements)
        let info = try inspectInput()
        if InputFile.isSame(input, output) {
            throw MediaError("the output '\(output)' is the input itself; give another path.")
        }
        let file = try OutputFile(path: output)
        let layout = (orientation: info.orientation, isInterlaced: info.isInterlaced)
        try editor.prepare(size: size ?? info.size)
        let anchor = try findAnchor(layout: layout, size: size ?? info.size)
        let decoder = try FileDecoder(path: input, layout: layout, size: size ?? info.size)
        try decoder.pipeline.set(GST_STATE_PLAYING)
        var run = FileEditRun(estimatedFrames: info.estimatedFrames, grid: TimestampGrid(info.framerate))
        let isComplete = try edit(&run, decoder: decoder) { caps throws(MediaError) in
            let sound = FileEncoder.Sound(path: self.input, format: info.audioFormat)
            return try FileEncoder(
                format, file: file, name: self.output, caps: caps, sound: sound)
        }
        if isComplete, let reason = anchor.missing { message(reason) }
        return FileEditSummary(
            isComplete: isComplete, frames: run.frames, anchorFrame: anchor.frame, elapsedSeconds: run.elapsedSeconds,
            editSeconds: run.editSeconds, size: size ?? info.size, framerate: info.framerate, hasAudio: info.hasAudio)
    }

    /// Shows the middle frame to an editor that wants it; returns its number. A file in which it cannot be found is edited
    /// without; returns why.
    private func findAnchor(
        layout: (orientation: Int, isInterlaced: Bool), size: FrameSize
    ) throws -> (frame: Int?, missing: String?) {
        guard let anchored = editor as? any AnchoredEditor, anchored.wantsMiddleFrame else { return (nil, nil) }
        do {
            let middle = MiddleFrame(path: input, layout: layout, isCancelled: isCancelled)
            return (try middle.read(size: size) { try anchored.setAnchor($0) }, nil)
        } catch let error as MediaError {
            let reason = "the middle frame could not be read: \(error)"
            return (nil, "no frame was the anchor of the others, because \(reason)")
        }
    }

    private func inspectInput() throws(MediaError) -> VideoInfo {
        guard let size else { return try VideoProbe.probe(path: input) }
        try size.validate(as: "the size", advice: "\(size.nearestAllowed) would do")
        return try VideoProbe.inspect(path: input)
    }

    /// Edits all frames; false when cancelled.
    private func edit(
        _ run: inout FileEditRun, decoder: FileDecoder, encoder makeEncoder: (Caps) throws(MediaError) -> FileEncoder
    ) throws -> Bool {
        let patience = Self.stallSeconds
        guard let first = try decoder.nextFrame(seconds: patience, isCancelled: isCancelled) else {
            if isCancelled() { return false }
            throw VideoProbe.noFrames(input)
        }
        guard let caps = first.caps?.removing(["interlace-mode", "field-order", "chroma-site"]) else {
            throw MediaError("the first frame of '\(input)' has no format.")
        }
        let encoder = try makeEncoder(caps)
        var step = try FrameStep(editor: editor, caps: caps)
        guard try pass(first, through: &step, to: encoder, &run) else { return false }
        while let sample = try decoder.nextFrame(seconds: patience, isCancelled: isCancelled) {
            guard try pass(sample, through: &step, to: encoder, &run) else { return false }
        }
        return try encoder.finish(seconds: patience, isCancelled: isCancelled)
    }

    private func pass(
        _ sample: borrowing Sample, through step: inout FrameStep, to encoder: FileEncoder, _ run: inout FileEditRun
    ) throws -> Bool {
        timed?.frameTime = sample.runningTime.map { Double($0) / 1e9 }
        let begin = MonotonicClock.seconds
        let buffer = try step.edit(sample)
        let took = MonotonicClock.seconds - begin
        let (time, duration) = run.timing(of: sample)
        cgst_buffer_set_timing(buffer, time, duration)
        guard try encoder.write(buffer, seconds: Self.stallSeconds, isCancelled: isCancelled) else { return false }
        progress(run.note(editSeconds: took))
        return true
    }
}
