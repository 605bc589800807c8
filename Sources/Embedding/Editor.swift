import CMovie
import Editing
import Frames
import Glibc

/// What a `movie_editor` is: an engine, and the session planned last.
final class Editor {
    private let engine: SharedEngine
    private var session: EditSession?
    private var layout: FrameLayout?
    /// The sentence of the last failure, ended by a zero, for C to read.
    private(set) var sentence: UnsafeMutablePointer<CChar>

    /// Loads a model, or shares it. Throws a sentence.
    init(model: String?, threads: Int) throws {
        guard (0...256).contains(threads) else {
            throw EditError(
                "the number of threads is \(threads); it must be from 1 to 256, or 0 for one each processor")
        }
        let library = movie_library_path().map { [String(cString: $0)] } ?? []
        engine = try SharedEngine(
            model: BundledModel.find(model, beside: library), threads: threads == 0 ? nil : threads)
        sentence = .allocate(capacity: Self.sentenceSize)
        sentence.pointee = 0
    }

    deinit { sentence.deallocate() }

    private static let sentenceSize = 1024

    func plan(_ settings: EditSettings, _ layout: FrameLayout) throws {
        let session = try EditSession(model: engine.model, settings: settings, pool: engine.pool)
        try session.prepare(size: layout.size)
        self.session = session
        self.layout = layout
    }

    func edit(_ from: PlanePointers, _ to: PlanePointers) throws {
        guard let session, let layout else { throw EditError("a frame came before movie_plan") }
        guard let source = from.view(layout), let target = to.view(layout) else {
            throw EditError("a plane is NULL, or its rows are shorter than \(layout.size.width) pixels")
        }
        try session.edit(source.readable, into: target)
    }

    /// Does `body`; keeps the sentence of what it throws. Returns what C gets.
    func attempt(_ body: () throws -> Void) -> Int32 {
        do {
            sentence.pointee = 0
            try body()
            return 0
        } catch {
            write("\(error)", to: sentence, size: Self.sentenceSize)
            return -1
        }
    }
}

/// The planes of a frame as C gives them.
struct PlanePointers {
    let planes: UnsafePointer<UnsafeMutableRawPointer?>?
    let strides: UnsafePointer<Int>?

    /// The frame; nil where something is missing.
    func view(_ layout: FrameLayout) -> MutableFrameView? {
        guard let planes, let strides, let first = planes[0] else { return nil }
        let count = layout.format.planeCount
        for plane in 0..<count {
            let row = layout.format.bytesPerRow(ofPlane: plane, width: layout.size.width)
            guard planes[plane] != nil, strides[plane] >= row else { return nil }
        }
        return layout.mutableView(
            planes: (first, count > 1 ? planes[1] : nil, count > 2 ? planes[2] : nil),
            strides: (strides[0], count > 1 ? strides[1] : 0, count > 2 ? strides[2] : 0))
    }
}

/// Copies as much of `text` as fits, and a zero.
func write(_ text: String, to buffer: UnsafeMutablePointer<CChar>?, size: Int) {
    guard let buffer, size > 0 else { return }
    text.withCString { source in
        let length = min(strlen(source), size - 1)
        memcpy(buffer, source, length)
        buffer[length] = 0
    }
}
