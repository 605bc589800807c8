import CGst
import Frames
import Scheduling
import Synchronization

/// The edits of one stream: takes the newest frame, asks the scheduler, computes, and leaves the picture to the output.
final class EditLoop: @unchecked Sendable {
    private let keeper: SourceKeeper
    private let scheduler: SharedScheduler
    private let queue: (any ComputeQueue)?
    private let stream: Int
    private let edited: PictureExchange
    private let raw: PictureExchange?
    private let log: StreamLog
    private let stop: StopFlag
    private var info: GstVideoInfo
    private var editor: any FrameEditor
    private let next = Mutex<Box?>(nil)
    private var number = 0

    private struct Box: @unchecked Sendable { let editor: any FrameEditor }

    /// A loop for a source of pictures of the exchange's size; `editor` is prepared for it.
    init(
        _ keeper: SourceKeeper, editor: any FrameEditor, scheduler: SharedScheduler, queue: (any ComputeQueue)?,
        stream: Int, edited: PictureExchange, raw: PictureExchange?, log: StreamLog, stop: StopFlag
    ) throws(MediaError) {
        self.keeper = keeper
        self.editor = editor
        self.scheduler = scheduler
        self.queue = queue
        self.stream = stream
        self.edited = edited
        self.raw = raw
        self.log = log
        self.stop = stop
        info = try LiveOutput.layout(
            try Caps("video/x-raw,format=RGB,width=\(edited.size.width),height=\(edited.size.height)"))
    }

    /// From the next frame on, this editor edits; it must be prepared for the size.
    func replace(_ editor: any FrameEditor) {
        let box = Box(editor: editor)
        next.withLock { $0 = box }
    }

    /// Edits until stopped, or to the end of a file.
    func run() {
        while !stop.isStopped, !keeper.isFinished {
            adopt()
            guard let item = keeper.next() else { continue }
            pass(item)
        }
        keeper.close()
        scheduler.remove(stream)
    }

    private func adopt() {
        let box = next.withLock { next in
            defer { next = nil }
            return next
        }
        guard let box else { return }
        editor = box.editor
        scheduler.relearn(stream)
    }

    private func pass(_ item: borrowing Mailbox.Item) {
        // While a change of the source's size works its way through, frames of another size may come.
        guard item.sample.has(edited.size), let buffer = item.sample.buffer else { return drop(nil) }
        do {
            let frame = try MappedFrame(buffer, info: &info, flags: GST_MAP_READ)
            let view = try frame.view()
            if let raw { keep(view, in: raw, captured: item.captured) }
            edit(view, captured: item.captured)
        } catch {
            log.say("\(error)")
            drop(nil)
        }
    }

    private func edit(_ view: FrameView, captured: Nanoseconds) {
        let decision = scheduler.admit(stream, captured: captured)
        guard decision.work != nil else { return drop(decision.reason) }
        queue?.begin(deadline: decision.queueDeadline)
        let start = MonotonicClock.nanoseconds
        let failure = attempt(view)
        let finished = MonotonicClock.nanoseconds
        let stoodBack = queue?.end() ?? 0
        let cost = finished - start - stoodBack
        if let failure { return fail(failure, cost: cost, now: finished) }
        let isInTime = scheduler.finish(stream, decision, cost: cost)
        if stoodBack == 0 { noteSteps(decision) }
        hand(decision, captured: captured, finished: finished, cost: cost, isInTime: isInTime)
    }

    /// Edits into the free picture; what a failed edit left there is never shown.
    private func attempt(_ view: FrameView) -> (any Error)? {
        do {
            try editor.edit(view, into: edited.target)
            return nil
        } catch {
            return error
        }
    }

    private func hand(
        _ decision: Decision, captured: Nanoseconds, finished: Nanoseconds, cost: Nanoseconds, isInTime: Bool
    ) {
        number += 1
        let frame = FinishedFrame(
            number: number, captured: captured, rung: decision.work ?? .edited, isInTime: isInTime)
        let isReplaced = edited.publish(.init(frame: frame, finished: finished))
        let record = EditRecord(
            captured: captured, finished: finished, cost: cost, rung: decision.rung, reason: decision.reason,
            isInTime: isInTime)
        log.update { state in
            if isReplaced { state.counters.dropped += 1 }
            if !isInTime { state.counters.late += 1 }
            state.input.failingSince = nil
            state.input.reason = decision.rung == .held ? decision.reason : .nothingNewer
            state.edits.add(record)
        }
    }

    private func fail(_ error: any Error, cost: Nanoseconds, now: Nanoseconds) {
        scheduler.fail(stream, cost: cost)
        let isFirst = log.update { state in
            defer { state.input.failingSince = state.input.failingSince ?? now }
            state.counters.failed += 1
            state.counters.dropped += 1
            return state.input.failingSince == nil
        }
        if isFirst { log.say("an edit failed, the output goes on without it: \(error)") }
    }

    private func drop(_ reason: Reason?) {
        log.update { state in
            state.counters.dropped += 1
            if let reason { state.input.reason = reason }
        }
    }

    private func noteSteps(_ decision: Decision) {
        guard let work = decision.work, let staged = editor as? any StagedEditor else { return }
        for index in 0..<staged.stageCount {
            scheduler.note(stream, work, step: index, cost: .milliseconds(staged.stageMilliseconds(index)))
        }
    }

    private func keep(_ view: FrameView, in raw: PictureExchange, captured: Nanoseconds) {
        let target = raw.target
        let bytes = view.size.width * view.format.bytesPerPixel
        for row in 0..<view.size.height {
            (target.base + row * target.stride).copyMemory(from: view.base + row * view.stride, byteCount: bytes)
        }
        let frame = FinishedFrame(number: 0, captured: captured, rung: .passthrough, isInTime: true)
        _ = raw.publish(.init(frame: frame, finished: captured))
    }
}
