import CAllocationCounter
import Frames
import Glibc
import LiveEditing
import Scheduling
import Testing

/// Adds one to every byte, when told to go on.
private final class GatedEditor: FrameEditor, @unchecked Sendable {
    struct Failure: Error {}
    private let gate: UnsafeMutablePointer<sem_t> = .allocate(capacity: 1)
    private(set) var sizes: [FrameSize] = []
    var fails = false

    init(isOpen: Bool = false) { sem_init(gate, 0, isOpen ? 1_000_000 : 0) }
    deinit { gate.deallocate() }

    func open() { sem_post(gate) }
    func prepare(size: FrameSize) {}

    func edit(_ input: FrameView, into output: MutableFrameView) throws {
        sem_wait(gate)
        if fails { throw Failure() }
        output.fill(input.first &+ 1)
    }
}

/// Carries by writing the edit's first byte plus the frames since; tells what it was asked.
private final class FakeCarrier: FrameCarrier {
    private let picture = PictureMemory(FrameSize(width: 8, height: 6))
    private(set) var calls: [String] = []
    private var shown: UInt8?
    var notes = true

    func note(_ call: String) { if notes { calls.append(call) } }

    var source: FrameView { picture.view.readable }
    var canRender: Bool { shown != nil }
    func advance(to frame: FrameView, follows: Bool) {
        picture.view.fill(frame.first)
        note(follows ? "follow" : "load")
    }
    func beginEdit() { note("begin") }
    func finishEdit(_ edited: FrameView) -> Bool {
        shown = edited.first
        note("finish")
        return true
    }
    func cancelEdit() { note("cancel") }
    func reset() { shown = nil }
    func keep(edit: FrameView) {
        shown = edit.first
        note("keep")
    }
    func render(into output: MutableFrameView) {
        output.fill((shown ?? 0) &+ 100)
        note("render")
    }
    func upsample(_ edited: FrameView, into output: MutableFrameView) {
        output.fill(edited.first &+ 50)
        note("upsample")
    }
}

private final class PictureMemory {
    let view: MutableFrameView
    private let memory: UnsafeMutableRawPointer
    init(_ size: FrameSize) {
        memory = .allocate(byteCount: size.width * size.height * 3, alignment: 64)
        view = MutableFrameView(base: memory, size: size, stride: size.width * 3)
        view.fill(0)
    }
    deinit { memory.deallocate() }
}

extension MutableFrameView {
    fileprivate func fill(_ value: UInt8) { memset(base, Int32(value), stride * size.height) }
}

extension FrameView {
    fileprivate var first: UInt8 { base.load(as: UInt8.self) }
}

@Suite(.serialized) struct KeyframeEditorTests {
    private let size = FrameSize(width: 16, height: 12), small = FrameSize(width: 8, height: 6)
    private let frame = PictureMemory(FrameSize(width: 16, height: 12))
    private let output = PictureMemory(FrameSize(width: 16, height: 12))
    private let carrier = FakeCarrier()

    private func editor(_ inner: GatedEditor, editSize: FrameSize? = nil, carries: Bool = true) throws -> KeyframeEditor
    {
        try KeyframeEditor(
            inner, size: size, editSize: editSize ?? size, carrier: carrier, carriesEdits: carries, queue: nil,
            clock: TurnedClock())
    }

    /// Waits for the background, at most ten seconds.
    private func finished(_ editor: KeyframeEditor) -> KeyframeEditor.Finished? {
        for _ in 0..<10_000 {
            if let done = editor.takeFinished() { return done }
            usleep(1000)
        }
        return nil
    }

    @Test func framesAreCarriedWhileAnEditIsMade() throws {
        let inner = GatedEditor(), editor = try editor(inner)
        defer { editor.stop() }
        #expect(editor.state == KeyframeState(canCarry: false, isEditing: false))
        frame.view.fill(7)
        editor.take(frame.view.readable, follows: true)
        editor.beginEdit(captured: 5, deadline: 0)
        #expect(editor.state == KeyframeState(canCarry: false, isEditing: true))
        #expect(!editor.carry(into: output.view), "there is nothing to carry yet")
        frame.view.fill(9)
        editor.take(frame.view.readable, follows: true)
        #expect(editor.takeFinished() == nil)
        inner.open()
        let done = try #require(finished(editor))
        #expect(done.captured == 5 && done.failure == nil)
        #expect(editor.state == KeyframeState(canCarry: true, isEditing: false))
        #expect(editor.carry(into: output.view))
        #expect(output.view.readable.first == 108, "the edit of 7, not of the frame that came later")
        #expect(carrier.calls == ["follow", "begin", "follow", "finish", "render"])
    }

    @Test func editsInTimeAreKept() throws {
        let editor = try editor(GatedEditor(isOpen: true))
        defer { editor.stop() }
        frame.view.fill(20)
        editor.take(frame.view.readable, follows: false)
        try editor.edit(frame.view.readable, into: output.view)
        #expect(output.view.readable.first == 21 && carrier.calls == ["load", "keep"])
    }

    @Test func smallEditsAreEnlarged() throws {
        let editor = try editor(GatedEditor(isOpen: true), editSize: small, carries: false)
        defer { editor.stop() }
        #expect(editor.state == nil)
        frame.view.fill(20)
        editor.take(frame.view.readable, follows: false)
        try editor.edit(frame.view.readable, into: output.view)
        #expect(output.view.readable.first == 71 && carrier.calls == ["load", "keep", "upsample"])
    }

    @Test func failuresAreTold() throws {
        let inner = GatedEditor(isOpen: true), editor = try editor(inner)
        defer { editor.stop() }
        inner.fails = true
        editor.take(frame.view.readable, follows: true)
        editor.beginEdit(captured: 0, deadline: 0)
        let done = try #require(finished(editor))
        #expect(done.failure is GatedEditor.Failure && carrier.calls.last == "cancel")
        #expect(editor.state == KeyframeState(canCarry: false, isEditing: false))
    }

    /// A stream that cannot start drops what it has made: the thread must not outlive it.
    @Test func itsThreadEndsWithIt() throws {
        let inner = GatedEditor()
        do {
            let editor = try editor(inner)
            editor.take(frame.view.readable, follows: true)
            editor.beginEdit(captured: 0, deadline: 0)
            inner.open()
        }
        #expect(carrier.calls == ["follow", "begin"], "nobody asked for the edit")
        weak var dropped: KeyframeEditor?
        do { dropped = try editor(GatedEditor()) }
        #expect(dropped == nil)
    }

    @Test func anotherEditorWaitsForTheEditUnderWay() throws {
        let first = GatedEditor(), second = GatedEditor(isOpen: true), editor = try editor(first)
        defer { editor.stop() }
        editor.take(frame.view.readable, follows: true)
        editor.beginEdit(captured: 0, deadline: 0)
        editor.replace(second)
        #expect(editor.current === first)
        first.open()
        _ = try #require(finished(editor))
        #expect(editor.current === second)
    }

    @Test func nothingIsAllocatedForAFrame() throws {
        let editor = try editor(GatedEditor(isOpen: true))
        defer { editor.stop() }
        carrier.notes = false
        func round() throws {
            editor.take(frame.view.readable, follows: false)
            try editor.edit(frame.view.readable, into: output.view)
            editor.take(frame.view.readable, follows: true)
            editor.beginEdit(captured: 0, deadline: 0)
            _ = editor.carry(into: output.view)
            while editor.takeFinished() == nil { usleep(100) }
        }
        try round()
        movie_count_thread_allocations(true)
        let before = movie_allocations_of_thread()
        for _ in 0..<20 { try round() }
        let after = movie_allocations_of_thread()
        movie_count_thread_allocations(false)
        #expect(after == before)
    }
}
