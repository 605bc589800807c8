import Frames
import Scheduling
import Synchronization

/// Three pictures between one thread that makes them and one that shows them: one being written, the newest finished, one
/// being read. Neither waits for the other, nothing is copied or allocated.
final class PictureExchange: @unchecked Sendable {
    /// What goes with a picture.
    struct Note: Sendable {
        var frame: FinishedFrame
        var finished: Nanoseconds
    }

    private struct Places: Sendable {
        var written = 0
        var finished = 1
        var read = 2
        var isNew = false
    }

    /// The pictures' size.
    let size: FrameSize
    private let stride: Int
    private let memory: UnsafeMutableRawPointer
    private var notes: [Note?] = [nil, nil, nil]
    private let places = Mutex(Places())

    /// Pictures of `size`, black.
    init(size: FrameSize) {
        self.size = size
        stride = (size.width * PixelFormat.rgb.bytesPerPixel + 63) / 64 * 64
        memory = .allocate(byteCount: 3 * stride * size.height, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: 3 * stride * size.height)
    }

    deinit { memory.deallocate() }

    /// Where the next picture is to be written; for the one thread that writes.
    var target: MutableFrameView {
        MutableFrameView(base: picture(places.withLock { $0.written }), size: size, stride: stride)
    }

    /// Makes the written picture the newest. Returns whether the one before was never read.
    func publish(_ note: Note) -> Bool {
        places.withLock { places in
            notes[places.written] = note
            swap(&places.written, &places.finished)
            defer { places.isNew = true }
            return places.isNew
        }
    }

    /// The newest picture's note, nil before the first; `view` shows it until the next call. For the one thread that reads.
    func newest() -> Note? {
        places.withLock { places in
            if places.isNew {
                swap(&places.read, &places.finished)
                places.isNew = false
            }
            return notes[places.read]
        }
    }

    /// The picture that `newest` spoke of.
    var view: FrameView { FrameView(base: picture(places.withLock { $0.read }), size: size, stride: stride) }

    private func picture(_ place: Int) -> UnsafeMutableRawPointer { memory + place * stride * size.height }
}
