import Foundation
import Frames
import Scheduling
import Synchronization
import Testing

@testable import Media

/// The camera shows white, edits are black, our own picture is dark: whatever happens, nothing bright may come out.
struct FailClosedTests {
    /// Above this a byte can only be the camera's.
    private static let brightest: UInt8 = 200
    private static let white = "gst:videotestsrc is-live=true pattern=white ! video/x-raw,framerate=30/1"

    /// Everything that came out, byte for byte.
    private func published(
        by editor: any FrameEditor, source: String = white, fallback: Fallback = .hold, seconds: Double = 0.9,
        latencyBudget: Nanoseconds? = nil, action: ((LiveStream) -> Void)? = nil
    ) throws -> (bytes: Data, result: LiveWorkbench.Result) {
        let shop = try Workshop(), bench = LiveWorkbench()
        let stream = try bench.add(
            source, ["gst:filesink location=" + shop.path("raw")], editor: editor,
            change: {
                $0.fallback = fallback
                $0.latencyBudget = latencyBudget
            })
        let deed = Deed(stream: stream, body: action)
        let result = try bench.run(seconds: seconds, actions: [(at: seconds / 2, body: { deed.run() })])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.path("raw")))
        try #require(bytes.count == result.counters.out * 160 * 120 * 3)
        return (bytes, result)
    }

    private struct Deed: @unchecked Sendable {
        let stream: LiveStream
        let body: ((LiveStream) -> Void)?
        func run() { body?(stream) }
    }

    private func expectClosed(_ bytes: Data, _ comment: Comment) {
        #expect((bytes.max() ?? 255) < Self.brightest, comment)
    }

    /// Without this the other tests would prove nothing.
    @Test func passthroughShowsTheCamera() throws {
        let (bytes, result) = try published(by: LeakyEditor(fails: { _ in true }), fallback: .passthrough)
        #expect(result.count(.passthrough) > 10)
        #expect(bytes.max() == 255)
    }

    @Test(arguments: [Fallback.hold, .placeholder]) func editsThatAlwaysFail(_ fallback: Fallback) throws {
        let (bytes, result) = try published(by: LeakyEditor(fails: { _ in true }), fallback: fallback)
        expectClosed(bytes, "every edit leaves the camera's picture and fails")
        #expect(result.counters.failed > 10 && result.count(.placeholder) == result.counters.out)
        #expect(result.messages.count { $0.hasPrefix("an edit failed") } == 1)
        #expect(result.published.last?.publication.reason == .editFailed)
    }

    @Test(arguments: [2, 3, 5]) func editsThatFailNowAndThen(_ every: Int) throws {
        let (bytes, result) = try published(by: LeakyEditor(fails: { $0 % every == 0 }))
        expectClosed(bytes, "each \(every)th edit leaves the camera's picture and fails")
        #expect(result.counters.failed > 2 && result.count(.edited) > 5)
    }

    @Test func editsThatFailAfterAWhile() throws {
        let (bytes, result) = try published(by: LeakyEditor(fails: { $0 > 8 }))
        expectClosed(bytes, "the last edit is held")
        #expect(result.count(.held) > 8)
    }

    @Test func lateFrames() throws {
        let editor = LeakyEditor(milliseconds: 120)
        let (bytes, result) = try published(by: editor, seconds: 1.2, latencyBudget: .milliseconds(34))
        expectClosed(bytes, "no edit makes its deadline")
        #expect(result.counters.late > 4 && result.count(.held) > 10)
    }

    @Test func promptChanges() throws {
        let next = LeakyEditor(fails: { $0 < 3 }), old = LeakyEditor()
        let (bytes, result) = try published(by: old) { try? $0.replace(editor: next) }
        expectClosed(bytes, "the new editor fails three times before its first edit")
        #expect(result.counters.failed == 3 && next.edits > 3)
        #expect(old.edits > 5)
    }

    @Test func aModelThatIsLoadedWhileFramesCome() throws {
        let next = LeakyEditor(prepareMilliseconds: 250), broken = LeakyEditor(failsToPrepare: true)
        let (bytes, result) = try published(by: LeakyEditor(), seconds: 1.2) { stream in
            #expect(throws: LeakyEditor.Failure.self) { try stream.replace(editor: broken) }
            try? stream.replace(editor: next)
        }
        expectClosed(bytes, "the old editor goes on")
        #expect(next.edits > 2 && broken.edits == 0)
        #expect(result.count(.edited) > 25, "nothing stood still meanwhile")
    }

    @Test func aModelThatIsSlowToStart() throws {
        let (bytes, result) = try published(by: LeakyEditor(prepareMilliseconds: 400))
        expectClosed(bytes, "our own picture before the first edit")
        #expect(result.count(.placeholder) >= 10)
    }

    @Test func aSourceThatGoesAndComes() throws {
        let source = "gst:videotestsrc num-buffers=6 is-live=true pattern=white ! video/x-raw,framerate=30/1"
        let (bytes, result) = try published(by: LeakyEditor(), source: source, seconds: 1.6)
        expectClosed(bytes, "the end and the beginning of a source")
        #expect(result.counters.framesIn > 6)
    }

    @Test func aSourceThatChangesItsSize() throws {
        let source =
            "gst:concat name=c videotestsrc num-buffers=8 is-live=true pattern=white ! video/x-raw,width=160,height=120 "
            + "! c. videotestsrc num-buffers=20 is-live=true pattern=white ! video/x-raw,width=320,height=180 ! c. c."
        expectClosed(try published(by: LeakyEditor(), source: source).bytes, "another size")
    }

    @Test func shutdownInTheMiddleOfAnEdit() throws {
        let (bytes, result) = try published(by: LeakyEditor(milliseconds: 300), seconds: 0.5)
        expectClosed(bytes, "stopped while an edit was half done")
        #expect(result.stopSeconds < 1)
    }
}

/// Copies the camera's picture into the output first, then inverts it, or fails and leaves it there.
private final class LeakyEditor: FrameEditor, @unchecked Sendable {
    struct Failure: Error {}

    private let inner = InvertingEditor()
    private let raw = PassthroughEditor()
    private let milliseconds: UInt32
    private let prepareMilliseconds: UInt32
    private let failsToPrepare: Bool
    private let fails: (Int) -> Bool
    private let attempts = Atomic<Int>(0)
    private let done = Atomic<Int>(0)

    init(
        milliseconds: UInt32 = 5, prepareMilliseconds: UInt32 = 0, failsToPrepare: Bool = false,
        fails: @escaping (Int) -> Bool = { _ in false }
    ) {
        self.milliseconds = milliseconds
        self.prepareMilliseconds = prepareMilliseconds
        self.failsToPrepare = failsToPrepare
        self.fails = fails
    }

    var edits: Int { done.load(ordering: .relaxed) }

    func prepare(size: FrameSize) throws {
        usleep(prepareMilliseconds * 1000)
        if failsToPrepare { throw Failure() }
    }

    func edit(_ input: FrameView, into output: MutableFrameView) throws {
        raw.edit(input, into: output)
        usleep(milliseconds * 1000)
        if fails(attempts.add(1, ordering: .relaxed).oldValue) { throw Failure() }
        inner.edit(input, into: output)
        done.add(1, ordering: .relaxed)
    }
}
