import Compute
import Frames
import TestSupport
import Testing

@testable import Editing

/// The rolling anchor on a clock that the tests turn.
@Suite struct AnchorPolicyTests {
    private func weights(_ decision: AnchorPolicy.Decision) -> [Float] { [decision.weights.0, decision.weights.1] }

    @Test func theFirstFrameIsTheAnchor() {
        var policy = AnchorPolicy(maximumAge: 10)
        let first = policy.next(at: 3, scene: .same)
        #expect(first.keeps == 0 && first.reason == .first && weights(first) == [0, 0])
        let second = policy.next(at: 3.03, scene: .same)
        #expect(second.keeps == nil && second.reason == nil && weights(second) == [1, 0])
    }

    /// After the given age one frame becomes the anchor, and its weight grows while the old one's falls.
    @Test(arguments: [0.5, 2.0, 10.0]) func oldAnchorsFadeIntoNewOnes(_ age: Double) throws {
        var policy = AnchorPolicy(maximumAge: age)
        let decisions = (0...Int(age * 2 * 25) + 30).map { policy.next(at: Double($0) / 25, scene: .same) }
        let renewed = try #require(decisions.indices.dropFirst().first { decisions[$0].keeps != nil })
        #expect(abs(Double(renewed) / 25 - age) < 0.08 && decisions[renewed].reason == .age)
        #expect(decisions[renewed].keeps == 1 && weights(decisions[renewed]) == [1, 0], "it still sees the old one")
        var last: Float = 0
        for index in renewed + 1..<min(renewed + 14, decisions.count) {
            let now = weights(decisions[index])
            #expect(abs(now[0] + now[1] - 1) < 1e-6, "together always one")
            #expect(now[1] - last <= 0.201 && (now[1] > last || now[1] == 1), "in small steps")
            last = now[1]
        }
        #expect(last == 1)
    }

    /// Frames far apart: still not in one step.
    @Test func slowStreamsFadeToo() {
        var policy = AnchorPolicy(maximumAge: 2)
        var seen: [Float] = []
        for second in 0..<12 { seen.append(policy.next(at: Double(second), scene: .same).weights.1) }
        let steps = zip(seen.dropFirst(), seen).map { abs($0 - $1) }
        #expect(seen.contains(1) && steps.allSatisfy { $0 <= 0.201 })
    }

    @Test func aCutDropsTheAnchorAtOnce() {
        var policy = AnchorPolicy(maximumAge: 1)
        for frame in 0...26 { _ = policy.next(at: Double(frame) / 25, scene: .same) }  // in the middle of a fade
        let cut = policy.next(at: 1.08, scene: .cut)
        #expect(cut.reason == .cut && cut.keeps != nil && weights(cut) == [0, 0])
        let after = weights(policy.next(at: 1.12, scene: .same))
        #expect(after.sorted() == [0, 1] && after[cut.keeps ?? 0] == 1)
    }

    @Test func newPromptsAndGuidanceDropItToo() {
        var policy = AnchorPolicy(maximumAge: 10)
        _ = policy.next(at: 0, scene: .same)
        let decision = policy.next(at: 0.04, scene: .same, hasNewEdit: true)
        #expect(decision.reason == .edit && weights(decision) == [0, 0])
    }

    /// A camera that turns away is followed, but not with every frame.
    @Test func driftRenewsByFading() {
        var policy = AnchorPolicy(maximumAge: 10), times: [Double] = []
        for frame in 0..<100 {
            let decision = policy.next(at: Double(frame) / 25, scene: .drifted)
            if decision.reason == .drift { times.append(Double(frame) / 25) }
        }
        #expect(times.count >= 2 && times.first == AnchorPolicy.leastAge)
        #expect(zip(times.dropFirst(), times).allSatisfy { $0 - $1 >= AnchorPolicy.leastAge })
    }

    @Test func timeThatGoesBackIsAnotherPlace() {
        var policy = AnchorPolicy(maximumAge: 10)
        _ = policy.next(at: 100, scene: .same)
        #expect(policy.next(at: 5, scene: .same).reason == .cut)
        #expect(policy.next(at: 4.98, scene: .same).reason == nil, "frames out of order are no cut")
    }
}

/// Cuts are told from noise, exposure and movement.
@Suite struct SceneMeterTests {
    private static let width = 128
    private static let height = 96

    /// A gradient, noise and a square; `kind` 1 is another scene, from 2 on the gradient turns around, and -1 is the first
    /// scene with something dark before its left side.
    private func scenes(_ frames: [(kind: Int, level: Int, square: Int)], noise: Float = 0) -> [AnchorPolicy.Scene] {
        let count = Self.width * Self.height * 3
        let pixels = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
        defer { pixels.deallocate() }
        let pool = WorkerPool(threads: 1)
        defer { pool.shutdown() }
        let cells = CellGrid(
            pixels, width: Self.width, height: Self.height, stride: Self.width * 3, pool: pool)
        let meter = SceneMeter()
        var random = TestRandom(seed: 3)
        return frames.enumerated().map { index, frame in
            let noises = random.numbers(count)
            for y in 0..<Self.height {
                for x in 0..<Self.width {
                    let isSquare = abs(x - frame.square) < 16 && abs(y - 48) < 16
                    let turned = (x + 2 * (frame.kind - 2)) % 128
                    let scene = [40 + x, 200 - 2 * y + (x > 64 ? 40 : 0), 40 + turned][max(0, min(frame.kind, 2))]
                    let base = frame.kind < 0 && x < 44 ? 0 : scene
                    for c in 0..<3 {
                        let at = (y * Self.width + x) * 3 + c
                        let value = Float(isSquare ? 250 : base + frame.level) + noise * noises[at]
                        pixels[at] = UInt8(min(255, max(0, value)))
                    }
                }
            }
            cells.read()
            let scene = meter.measure(cells)
            if index == 0 || scene == .cut { meter.keepAnchor() }
            return scene
        }
    }

    @Test func noiseExposureAndMovementAreTheSameScene() {
        let still = scenes(Array(repeating: (0, 0, 30), count: 20), noise: 30)
        #expect(still.allSatisfy { $0 == .same })
        #expect(scenes((0..<16).map { (0, $0, 30) }, noise: 10).allSatisfy { $0 == .same }, "a camera's exposure")
        #expect(scenes((0..<40).map { (0, 0, 30 + $0 % 20) }, noise: 10).allSatisfy { $0 == .same }, "something moves")
        #expect(scenes((0..<40).map { (0, 0, $0 * 3) }, noise: 10).allSatisfy { $0 != .cut }, "it crosses the picture")
    }

    /// The rest of the picture has not changed with it, so its anchor still belongs to it.
    @Test func somethingDarkBeforeAThirdOfThePictureIsNoCut() {
        let found = scenes((0..<20).map { (kind: $0 < 10 ? 0 : -1, level: 0, square: 100) }, noise: 10)
        #expect(found.allSatisfy { $0 != .cut }, "\(found)")
    }

    @Test(arguments: [0, 10, 30] as [Float]) func cutsAreFound(_ noise: Float) {
        let frames = (0..<30).map { (kind: $0 / 10 % 2, level: 0, square: 30) }
        let found = scenes(frames, noise: noise).enumerated().filter { $1 == .cut }.map(\.offset)
        #expect(found == [10, 20])
    }

    /// A picture that gets another one little by little drifts, without a cut.
    @Test func slowChangesAreDrift() {
        let found = scenes((0..<32).map { (kind: 2 + $0, level: 0, square: 30) })
        #expect(!found.contains(.cut) && found.last == .drifted && found[1] == .same)
    }
}
