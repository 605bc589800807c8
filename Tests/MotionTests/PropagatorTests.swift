import Compute
import Frames
import Motion
import TestSupport
import Testing

/// Edits carried onto later frames.
@Suite struct PropagatorTests {
    private static let size = FrameSize(width: 160, height: 128)

    private func withPropagator(
        _ size: FrameSize = PropagatorTests.size, edit: FrameSize? = nil, fade: Int = 6, _ body: (Propagator) -> Void
    ) {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        body(Propagator(size: size, editSize: edit ?? size, pool: pool, fadeFrames: fade))
    }

    @Test func nothingToRenderAtFirst() {
        withPropagator { propagator in
            #expect(!propagator.canRender && !propagator.sawSceneChange)
            let result = TestPicture(size: Self.size)
            propagator.render(into: result.mutableView)
            propagator.advance(to: moved(Self.size, 0, 0).view)
            propagator.render(into: result.mutableView)
            #expect(result.pixels.allSatisfy { $0 == TestPicture.sentinel })
            #expect(!propagator.finishEdit(result.view) && !propagator.canRender)
        }
    }

    @Test(arguments: [
        (FrameSize(width: 64, height: 64), FrameSize(width: 64, height: 64)),
        (FrameSize(width: 101, height: 67), FrameSize(width: 101, height: 67)),
        (FrameSize(width: 16, height: 16), FrameSize(width: 16, height: 16)),
        (FrameSize(width: 333, height: 97), FrameSize(width: 333, height: 97)),
    ])
    func aStillPictureShowsTheEditUnchanged(_ size: FrameSize, _ edit: FrameSize) {
        withPropagator(size, edit: edit) { propagator in
            let frame = moved(size, 0, 0), edited = lines(frame), result = TestPicture(size: size, extra: 7)
            propagator.advance(to: frame.view)
            propagator.keep(edit: edited.view)
            for _ in 0..<4 {
                propagator.render(into: result.mutableView)
                #expect(result.pixels == edited.pixels && result.isUntouchedOutside)
                propagator.advance(to: frame.view)
            }
        }
    }

    @Test(arguments: [
        (FrameSize(width: 320, height: 180), FrameSize(width: 128, height: 96)),
        (FrameSize(width: 203, height: 151), FrameSize(width: 64, height: 64)),
        (FrameSize(width: 100, height: 70), FrameSize(width: 144, height: 112)),
    ])
    func aToneEditIsEnlargedWithTheCamerasDetail(_ size: FrameSize, _ edit: FrameSize) {
        withPropagator(size, edit: edit) { propagator in
            let scale = Double(size.width) / 160
            let frame = scene(size) { ($0 / scale, $1 / scale) }
            let result = TestPicture(size: size, extra: 3), small = TestPicture(size: edit)
            propagator.advance(to: frame.view)
            small.mutableView.copy(from: propagator.source)
            propagator.upsample(tone(small).view, into: result.mutableView)
            #expect(psnr(result, tone(frame)) > 40, "\(psnr(result, tone(frame)))")
            #expect(result.isUntouchedOutside)
        }
    }

    @Test func everyEditIsCarriedBetterThanHeld() {
        let edits: [(String, (TestPicture) -> TestPicture, Double)] = [
            ("tone", tone, 42), ("lines", lines, 12), ("nothing", { $0 }, 38),
        ]
        for (name, edit, least) in edits {
            withPropagator { propagator in
                let first = moved(Self.size, 0, 0), held = edit(first), result = TestPicture(size: Self.size)
                propagator.advance(to: first.view)
                propagator.keep(edit: held.view)
                for step in 1...6 {
                    let frame = moved(Self.size, Double(step) * 1.7, Double(step) * -0.9)
                    propagator.advance(to: frame.view)
                    propagator.render(into: result.mutableView)
                    let truth = edit(frame), ours = psnr(result, truth), hold = psnr(held, truth)
                    #expect(ours > hold + 3, "\(name) after \(step): \(ours) dB, held \(hold)")
                    #expect(ours > least, "\(name) after \(step): \(ours) dB")
                }
            }
        }
    }

    @Test func noiseDoesNotHurtADrawing() {
        withPropagator { propagator in
            let still = moved(Self.size, 0, 0), drawing = lines(still), result = TestPicture(size: Self.size)
            propagator.advance(to: noisy(still, deviation: 2, seed: 1).view)
            propagator.keep(edit: drawing.view)
            for step in 2...8 {
                propagator.advance(to: noisy(still, deviation: 2, seed: UInt64(step)).view)
                propagator.render(into: result.mutableView)
                #expect(psnr(result, drawing) > 24, "\(step): \(psnr(result, drawing))")
            }
        }
    }

    @Test func aBackgroundEditFollowsItsFrameAndFadesIn() {
        withPropagator(fade: 3) { propagator in
            let grey = changed(moved(Self.size, 0, 0)) { _, _, _, _ in 100 }
            let white = changed(grey) { _, _, _, _ in 200 }
            func frame(_ index: Int) -> TestPicture { moved(Self.size, Double(index) * 0.8, 0) }
            let result = TestPicture(size: Self.size)
            propagator.advance(to: frame(0).view)
            propagator.keep(edit: grey.view)
            propagator.beginEdit()
            for index in 1...5 {
                propagator.advance(to: frame(index).view)
                propagator.render(into: result.mutableView)
            }
            #expect(psnr(result, grey) > 40)
            #expect(propagator.finishEdit(white.view))
            #expect(!propagator.finishEdit(white.view))
            var middle: [Int] = []
            for index in 6...10 {
                propagator.advance(to: frame(index).view)
                propagator.render(into: result.mutableView)
                middle.append(Int(result.pixels[3 * (64 * 160 + 80)]))
            }
            #expect(middle == middle.sorted() && middle[0] > 110 && middle[0] < 140, "\(middle)")
            #expect(middle[3] >= 198 && middle[4] >= 198, "\(middle)")
        }
    }

    @Test func aPendingEditStaysGoodForASecond() {
        withPropagator(fade: 0) { propagator in
            func frame(_ index: Int) -> TestPicture {
                let t = Double(index) / 30
                return moved(Self.size, 14 * sine(3 * t), 9 * t)
            }
            let first = frame(0), result = TestPicture(size: Self.size)
            propagator.advance(to: first.view)
            propagator.beginEdit()
            for index in 1...30 { propagator.advance(to: frame(index).view) }
            #expect(propagator.finishEdit(tone(first).view))
            propagator.render(into: result.mutableView)
            #expect(psnr(result, tone(frame(30)), margin: 16) > 40, "\(psnr(result, tone(frame(30)), margin: 16))")
        }
    }

    @Test func aCancelledEditChangesNothing() {
        withPropagator { propagator in
            let frame = moved(Self.size, 0, 0), result = TestPicture(size: Self.size)
            propagator.advance(to: frame.view)
            propagator.keep(edit: tone(frame).view)
            propagator.beginEdit()
            propagator.cancelEdit()
            #expect(!propagator.finishEdit(lines(frame).view))
            propagator.render(into: result.mutableView)
            #expect(result.pixels == tone(frame).pixels)
            propagator.reset()
            #expect(!propagator.canRender)
        }
    }

    @Test func aCutIsSeenAndMotionIsNot() {
        withPropagator { propagator in
            propagator.advance(to: moved(Self.size, 0, 0).view)
            for step in 1...4 {
                propagator.advance(to: moved(Self.size, Double(step) * 6, Double(step) * -4).view)
                #expect(!propagator.sawSceneChange, "\(step)")
            }
            let other = scene(Self.size, seed: 2) { ($0 * 2.1 + $1 / 3 + 400, $1 * 1.4 - $0) }
            propagator.advance(to: other.view)
            #expect(propagator.sawSceneChange)
            propagator.advance(to: other.view)
            #expect(!propagator.sawSceneChange)
            // A flash of light is not a cut.
            let flash = changed(other) { value, _, _, _ in UInt8(min(255, Int(value) * 9 / 10 + 12)) }
            propagator.advance(to: flash.view)
            #expect(!propagator.sawSceneChange)
        }
    }

    @Test func threadsDoNotChangeTheResult() {
        var results: [[UInt8]] = []
        for threads in [1, 2, 3] {
            let pool = WorkerPool(threads: threads)
            let size = FrameSize(width: 203, height: 151), edit = FrameSize(width: 117, height: 85)
            let propagator = Propagator(size: size, editSize: edit, pool: pool), result = TestPicture(size: size)
            propagator.advance(to: moved(size, 0, 0).view)
            propagator.keep(edit: tone(moved(edit, 0, 0)).view)
            for step in 1...3 {
                propagator.advance(to: moved(size, Double(step) * 2.2, 1).view)
                propagator.render(into: result.mutableView)
            }
            results.append(result.pixels)
            pool.shutdown()
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }
}
