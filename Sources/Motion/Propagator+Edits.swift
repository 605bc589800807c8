import CKernels
import Frames

extension Propagator {
    /// An edit of the frame of the last `advance` begins in the background; one that was pending is forgotten.
    public func beginEdit() {
        pending.begin(at: now, source: small)
        isPending = true
        pendingFrame = frames
        if workFrame == frames { keepWork() }
    }

    /// That edit is finished, of edit size: the next `fadeFrames` renders pass from the old edit to it.
    ///
    /// - Returns: false, and nothing happens, if no edit was pending.
    @discardableResult
    public func finishEdit(_ edited: FrameView) -> Bool {
        guard isPending else { return false }
        isPending = false
        pending.set(edit: edited, size: editSize)
        if keptFrame == pendingFrame {
            carrier.learn(weights, from: kept, edited: edited, noise: noiseLevel)
            keptFrame = -1
        }
        let hadEdit = canRender
        let last = old
        old = current
        current = pending
        pending = last
        canRender = true
        fadeLeft = hadEdit ? fadeFrames : 0
        return true
    }

    /// The pending edit will not come.
    public func cancelEdit() { isPending = false }

    /// An edit of the very frame of the last `advance`, packed RGB of edit size: from now on it is carried.
    public func keep(edit: FrameView) {
        let edit = packed(edit)
        if workFrame == frames {
            keepWork()
            carrier.learn(weights, from: kept, edited: edit, noise: noiseLevel)
            keptFrame = -1
        }
        current.begin(at: now, source: small)
        current.set(edit: edit, size: editSize)
        canRender = true
        fadeLeft = 0
    }

    /// The picture as packed RGB; of another format, in memory that the next render uses.
    private func packed(_ picture: FrameView) -> FrameView {
        guard picture.format != .rgb else { return picture }
        let row = 3 * editSize.width
        picture.readRGB(rows: 0..<editSize.height, into: faded.base, stride: row)
        return FrameView(base: faded.base, size: editSize, stride: row)
    }

    /// Forgets all edits and what was learned of them: another prompt follows.
    public func reset() {
        canRender = false
        isPending = false
        fadeLeft = 0
        keptFrame = -1
        workFrame = -1
        weights.reset(noise: noiseLevel)
    }

    /// Puts what the last render was made of aside, to learn from.
    private func keepWork() {
        swap(&work, &kept)
        kept.now.copy(from: small)
        keptFrame = frames
        workFrame = -1
    }

    /// The current edit carried onto the frame of the last `advance`, packed RGB of `size`. Nothing without an edit.
    public func render(into output: MutableFrameView) {
        guard canRender, let frame else { return }
        if fadeLeft > 0 { carry(old, into: faded) }
        carry(current, into: carried)
        if fadeLeft > 0 {
            // The first of n fading renders shows 1 / (n + 1) of the new edit.
            let weight = 256 * fadeLeft / (fadeFrames + 1)
            fadeLeft -= 1
            mix(faded, UInt32(weight))
        }
        finish(carried.base, stride: 3 * editSize.width, fits: work.fits, frame: frame, into: output)
        workFrame = frames
        if isPending, pendingFrame == frames { keepWork() }
    }

    /// An edit of the frame of the last `advance`, packed RGB of edit size, enlarged to `size`: what a local affine transform
    /// explains of the edit is applied to the camera's own detail.
    public func upsample(_ edited: FrameView, into output: MutableFrameView) {
        guard let frame else { return }
        let row = 3 * editSize.width, pixels = edited.base.assumingMemoryBound(to: UInt8.self)
        if size != editSize {
            movie_motion_pair(
                work.pairs.base, small.base, row, pixels, edited.stride, editSize.width, editSize.height, 0,
                editSize.height)
            carrier.fit(work.pairs, to: small, buffers: work)
            workFrame = -1
        }
        finish(pixels, stride: edited.stride, fits: work.fits, frame: frame, into: output)
    }

    private func carry(_ track: Track, into result: Memory<UInt8>) {
        search.refine(track.field, now: now, then: track.pyramid)
        carrier.carry(track.pairs, along: track.field.dense, to: small, buffers: work, into: result)
    }

    /// carried = (carried * (256 - weight) + other * weight) / 256.
    private func mix(_ other: Memory<UInt8>, _ weight: UInt32) {
        movie_blend_u8(other.base, carried.base, other.count, weight)
        carried.copy(from: other)
    }

    private func finish(
        _ edit: UnsafePointer<UInt8>, stride: Int, fits: Memory<Float>, frame: FrameView, into output: MutableFrameView
    ) {
        guard size == editSize else {
            return enlarger.enlarge(
                edit, editStride: stride, small: small, fits: fits, frame: frame, into: output)
        }
        output.writeRGB(rows: 0..<size.height, from: edit, stride: stride, alphaFrom: frame)
    }
}
