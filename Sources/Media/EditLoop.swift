import CGst
import Frames
import LiveEditing
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
    private let keyframes: KeyframeEditor
    private let next = Mutex<Box?>(nil)
    private var number = 0
    private var lastCaptured: Nanoseconds = 0

    private struct Box: @unchecked Sendable { let editor: any FrameEditor }

    /// A loop for a source of pictures of the exchange's size.
    init(
        _ keeper: SourceKeeper, keyframes: KeyframeEditor, scheduler: SharedScheduler, queue: (any ComputeQueue)?,
        stream: Int, edited: PictureExchange, raw: PictureExchange?, log: StreamLog, stop: StopFlag
    ) throws(MediaError) {
        self.keeper = keeper
        self.keyframes = keyframes
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

    /// From the next edit on, this editor edits; it must be prepared for the size of edits.
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
        keyframes.stop()
        keeper.close()
        scheduler.remove(stream)
    }

    private func adopt() {
        let box = next.withLock { next in
            defer { next = nil }
            return next
        }
        guard let box else { return }
        keyframes.replace(box.editor)
        scheduler.relearn(stream)
    }

    private func pass(_ item: borrowing Mailbox.Item) {
        // While a change of the source's size works its way through, frames of another size may come.
        guard item.sample.has(edited.size), let buffer = item.sample.buffer else { return drop(nil) }
        do {
            let frame = try MappedFrame(buffer, info: &info, flags: GST_MAP_READ)
            let view = try frame.view()
            if let raw { keep(view, in: raw, captured: item.captured) }
            takeKeyframe()
            make(view, captured: item.captured)
        } catch {
            log.say("\(error)")
            drop(nil)
        }
    }

    /// An edit that was made in the background is there.
    private func takeKeyframe() {
        guard let done = keyframes.takeFinished() else { return }
        if let failure = done.failure {
            scheduler.failKeyframe(stream, cost: done.cost)
            return noteFailure(failure, now: done.finished)
        }
        scheduler.finishKeyframe(stream, cost: done.cost)
        let record = EditRecord(
            captured: done.captured, finished: done.finished, cost: done.cost, rung: .edited, reason: .predictedLate,
            isInTime: false)
        log.update { state in
            state.input.failingSince = nil
            state.edits.add(record)
        }
    }

    private func make(_ view: FrameView, captured: Nanoseconds) {
        // After a pause, of a camera that slept or was away, an edit from before has nothing to do with what is seen.
        if captured - lastCaptured > OutputSelector.holding { keyframes.forget() }
        lastCaptured = captured
        let decision = scheduler.admit(stream, captured: captured, keyframes: keyframes.state)
        guard decision.work != nil || decision.keyframeDeadline != nil else { return drop(decision.reason) }
        queue?.begin(deadline: decision.queueDeadline)
        let start = MonotonicClock.nanoseconds
        let outcome = compute(decision, view, captured: captured)
        let finished = MonotonicClock.nanoseconds
        let stoodBack = queue?.end() ?? 0
        let cost = finished - start - stoodBack
        guard decision.work != nil else { return drop(decision.reason) }
        if case .failed(let error) = outcome {
            scheduler.fail(stream, cost: cost)
            drop(nil)
            return noteFailure(error, now: finished)
        }
        // What was decided to be reused and could not be has still cost what it has.
        var rung = decision.work, computed: Rung?
        if case .made(let made) = outcome { rung = made } else { rung = nil }
        if decision.work == .edited { computed = rung }
        let isInTime = scheduler.finish(stream, decision, computed: computed, cost: cost)
        guard let rung else { return drop(decision.reason) }
        if stoodBack == 0 { noteSteps(rung) }
        hand(decision, rung, captured: captured, finished: finished, cost: cost, isInTime: isInTime)
    }

    private enum Outcome {
        case made(Rung)
        /// There is no edit yet that could be carried.
        case nothing
        case failed(any Error)
    }

    /// Makes the picture, in the free one: what a failed edit left there is never shown.
    private func compute(_ decision: Decision, _ view: FrameView, captured: Nanoseconds) -> Outcome {
        let isEdit = decision.work.map { $0 < .propagated } ?? false
        keyframes.take(view, follows: !isEdit)
        if let deadline = decision.keyframeDeadline { keyframes.beginEdit(captured: captured, deadline: deadline) }
        if !isEdit { return isShowable && keyframes.carry(into: edited.target) ? .made(.propagated) : .nothing }
        do {
            try keyframes.edit(view, into: edited.target)
            return .made(keyframes.hasReused ? .reused : .edited)
        } catch {
            return .failed(error)
        }
    }

    /// While edits fail for longer than a moment, the old one is not carried on.
    private var isShowable: Bool {
        let since = log.update { $0.input.failingSince }
        return since.map { MonotonicClock.nanoseconds - $0 <= OutputSelector.holding } ?? true
    }

    private func hand(
        _ decision: Decision, _ rung: Rung, captured: Nanoseconds, finished: Nanoseconds, cost: Nanoseconds,
        isInTime: Bool
    ) {
        number += 1
        let frame = FinishedFrame(number: number, captured: captured, rung: rung, isInTime: isInTime)
        let isReplaced = edited.publish(.init(frame: frame, finished: finished))
        let record = EditRecord(
            captured: captured, finished: finished, cost: cost, rung: decision.rung, reason: decision.reason,
            isInTime: isInTime)
        log.update { state in
            if isReplaced { state.counters.dropped += 1 }
            if !isInTime { state.counters.late += 1 }
            state.input.reason = decision.rung == .held ? decision.reason : .nothingNewer
            if rung < .propagated {
                state.input.failingSince = nil
                state.edits.add(record)
            }
        }
    }

    private func noteFailure(_ error: any Error, now: Nanoseconds) {
        let isFirst = log.update { state in
            defer { state.input.failingSince = state.input.failingSince ?? now }
            state.counters.failed += 1
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

    private func noteSteps(_ rung: Rung) {
        guard rung < .propagated, let staged = keyframes.staged else { return }
        for index in 0..<staged.stageCount {
            scheduler.note(stream, rung, step: index, cost: .milliseconds(staged.stageMilliseconds(index)))
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
