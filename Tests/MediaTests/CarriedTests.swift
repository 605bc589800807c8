import Foundation
import Frames
import Scheduling
import Synchronization
import Testing

@testable import Media

/// Carries the brightness of the edit's first pixel: what it renders can be told from an edit and from a raw frame.
private final class FlatCarrier: FrameCarrier {
    let size: FrameSize, editSize: FrameSize
    private let small: UnsafeMutableRawPointer
    private var carried: UInt8?

    init(size: FrameSize, editSize: FrameSize) {
        self.size = size
        self.editSize = editSize
        small = .allocate(byteCount: editSize.width * editSize.height * 3, alignment: 64)
        small.initializeMemory(as: UInt8.self, repeating: 0, count: editSize.width * editSize.height * 3)
    }

    deinit { small.deallocate() }

    var source: FrameView { FrameView(base: small, size: editSize, stride: editSize.width * 3) }
    var canRender: Bool { carried != nil }
    func advance(to frame: FrameView, follows: Bool) {}
    func beginEdit() {}
    func finishEdit(_ edited: FrameView) -> Bool {
        keep(edit: edited)
        return true
    }
    func cancelEdit() {}
    func reset() { carried = nil }
    func keep(edit: FrameView) { carried = edit.base.load(as: UInt8.self) }
    func render(into output: MutableFrameView) { fill(output, carried ?? 0) }
    func upsample(_ edited: FrameView, into output: MutableFrameView) { fill(output, 77) }

    private func fill(_ output: MutableFrameView, _ value: UInt8) {
        memset(output.base, Int32(value), output.stride * output.size.height)
    }
}

struct CarriedTests {
    private let size = FrameSize(width: 160, height: 120)

    private func run(
        _ editor: any FrameEditor, seconds: Double = 2.3, change: (inout LiveSettings) -> Void = { _ in }
    ) throws -> (LiveWorkbench.Result, LiveStream) {
        let bench = LiveWorkbench()
        let stream = try bench.add(
            "test:ball", ["gst:fakesink"], editor: editor, carrier: { FlatCarrier(size: $0, editSize: $1) },
            change: change)
        return (try bench.run(seconds: seconds), stream)
    }

    @Test func aSlowModelDrivesASmoothStream() throws {
        let (result, _) = try run(SlowEditor(milliseconds: 200))
        #expect(result.count(.propagated) > 40, "\(result.counters)")
        let ages = result.published.filter { $0.publication.rung == .propagated }.map(\.publication.age.inMilliseconds)
        #expect((ages.max() ?? 999) < 120, "the motion is that of the newest frames")
    }

    @Test func withoutPropagationTheEditIsHeld() throws {
        let (result, _) = try run(SlowEditor(milliseconds: 200)) { $0.carriesEdits = false }
        #expect(result.count(.propagated) == 0 && result.count(.held) > 30, "\(result.counters)")
    }

    @Test func aFastModelNeedsNothingElse() throws {
        let (result, _) = try run(PassthroughEditor())
        #expect(result.count(.edited) > 40 && result.count(.propagated) <= 3, "\(result.counters)")
    }

    @Test func editsMayBeSmaller() throws {
        let editor = InvertingEditor()
        let (result, stream) = try run(editor, seconds: 1) { $0.editSize = FrameSize(width: 80, height: 64) }
        #expect(editor.sizes == [FrameSize(width: 80, height: 64)] && stream.size == size)
        #expect(stream.editSize == FrameSize(width: 80, height: 64) && result.count(.edited) > 10)
    }

    @Test func failuresEndTheCarrying() throws {
        let (result, _) = try run(SlowFailingEditor(), seconds: 4.5)
        #expect(result.count(.propagated) > 20, "\(result.counters)")
        #expect(result.published.last?.publication.rung == .placeholder)
        #expect(result.counters.failed >= 2 && result.messages.count == 1)
    }

    @Test(arguments: [
        (FrameSize(width: 512, height: 384), FrameSize(width: 512, height: 384)),
        (.init(width: 640, height: 480), .init(width: 640, height: 480)),
        (.init(width: 1280, height: 720), .init(width: 592, height: 336)),
        (.init(width: 1920, height: 1080), .init(width: 592, height: 336)),
        (.init(width: 16384, height: 64), .init(width: 7088, height: 64)),
    ])
    func standardSizes(_ size: FrameSize, _ edit: FrameSize) { #expect(FrameSize.standardEdit(of: size) == edit) }
}

/// Slow, and fails from the third frame on.
private final class SlowFailingEditor: FrameEditor {
    private let inner = FailingEditor(after: 2), slow = SlowEditor(milliseconds: 200)
    func prepare(size: FrameSize) {}
    func edit(_ input: FrameView, into output: MutableFrameView) throws {
        slow.edit(input, into: output)
        try inner.edit(input, into: output)
    }
}
