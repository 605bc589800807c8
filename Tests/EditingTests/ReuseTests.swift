import CAllocationCounter
import Compute
import Frames
import Networks
import TestSupport
import Testing

@testable import Editing

/// A picture in memory for the detector: [height, width, 3].
private struct Scene {
    static let width = 128, height = 96
    var pixels = [UInt8](repeating: 0, count: 3 * width * height)
    private var noise = Noise(seed: 9)

    init() {}
    init(pixels: [UInt8]) { self.pixels = pixels }

    /// A still scene; `light` is added everywhere, `deviation` is the camera's noise in levels.
    mutating func paint(light: Double = 0, deviation: Float = 0, square: (x: Int, y: Int)? = nil, shift: Int = 0) {
        var grain = [Float](repeating: 0, count: pixels.count)
        if deviation > 0 { noise.fill(&grain) }
        for row in 0..<Self.height {
            for column in 0..<Self.width {
                let isInside = square.map { (0..<20).contains(column - $0.x) && (0..<20).contains(row - $0.y) } ?? false
                let wall = Double(60 + (column + shift) * 17 % 90 + row / 2)
                for c in 0..<3 {
                    let index = 3 * (row * Self.width + column) + c
                    let level = (isInside ? 200 - 30 * Double(c) : wall) + light + Double(deviation * grain[index])
                    pixels[index] = UInt8(max(0, min(255, level.rounded())))
                }
            }
        }
    }
}

@Suite struct ChangeDetectorTests {
    private let detector: ChangeDetector
    private let marks: UnsafeMutableBufferPointer<UInt8>

    init() throws {
        detector = try #require(ChangeDetector(width: Scene.width, height: Scene.height, pool: testPool))
        marks = .allocate(capacity: detector.rows * detector.columns)
        marks.initialize(repeating: 0)
    }

    /// The share of marked cells. What is marked is taken as computed.
    private func look(_ scene: Scene) -> Double {
        detector.compare(scene.pixels, marks: marks)
        detector.accept(marks)
        return detector.changed
    }

    private func begin(_ scene: Scene) {
        detector.compare(scene.pixels, marks: marks)
        detector.acceptAll()
    }

    @Test(arguments: [Float(0.5), 1, 2, 4, 8]) func noiseIsNoChange(_ deviation: Float) {
        defer { marks.deallocate() }
        var scene = Scene(), late: [Double] = []
        scene.paint(deviation: deviation)
        begin(scene)
        for frame in 0..<90 {
            scene.paint(deviation: deviation)
            let changed = look(scene)
            if frame >= 60 { late.append(changed) }
        }
        let mean = late.reduce(0, +) / Double(late.count)
        #expect(mean < 0.02, "\(100 * mean) % of the cells; threshold \(detector.noise.threshold)")
    }

    @Test(arguments: [Float(0), 2]) func aFigureIsFound(_ deviation: Float) {
        defer { marks.deallocate() }
        var scene = Scene()
        scene.paint(deviation: deviation)
        begin(scene)
        for _ in 0..<40 {
            scene.paint(deviation: deviation)
            _ = look(scene)
        }
        scene.paint(deviation: deviation, square: (40, 32))
        _ = look(scene)
        for row in 4..<6 {
            for column in 5..<7 { #expect(marks[row * detector.columns + column] == 1, "row \(row), column \(column)") }
        }
        #expect(detector.changed < 0.12)
        #expect(!detector.hasLightChanged)
    }

    /// A change too small to be seen from one frame to the next adds up until it counts.
    @Test func aSlowDriftIsNoticed() {
        defer { marks.deallocate() }
        var scene = Scene()
        scene.paint()
        begin(scene)
        var noticed: [Int] = []
        for frame in 1...60 {
            scene.paint(light: Double(frame) * 0.1)
            _ = look(scene)
            if detector.hasLightChanged || detector.changed > 0.5 {
                noticed.append(frame)
                detector.acceptAll()
            }
        }
        let first = noticed.first ?? 99
        #expect(first > 5 && first < 30, "noticed at \(noticed)")
    }

    @Test func aLightThatGoesOnCountsEverywhere() {
        defer { marks.deallocate() }
        var scene = Scene()
        scene.paint(deviation: 2)
        begin(scene)
        for _ in 0..<40 {
            scene.paint(deviation: 2)
            _ = look(scene)
        }
        scene.paint(light: 2, deviation: 2)
        _ = look(scene)
        #expect(detector.hasLightChanged)
    }

    /// As bright as before, in another colour.
    @Test func aChangeOfColourCounts() {
        defer { marks.deallocate() }
        var scene = Scene()
        scene.paint()
        begin(scene)
        for index in stride(from: 0, to: 3 * 32, by: 3) {  // the first row of cells, in part
            for row in 0..<8 {
                scene.pixels[3 * Scene.width * row + index] &+= 20
                scene.pixels[3 * Scene.width * row + index + 1] &-= 10
            }
        }
        _ = look(scene)
        #expect((0..<4).allSatisfy { marks[$0] == 1 } && marks[5] == 0)
    }

    /// From white to black: flat pictures differ everywhere by the same, which is not noise.
    @Test func aFadeIsNotNoise() {
        defer { marks.deallocate() }
        for level in [UInt8(255), 240, 200, 150, 90, 20] {
            let scene = Scene(pixels: Array(repeating: level, count: 3 * Scene.width * Scene.height))
            detector.compare(scene.pixels, marks: marks)
            detector.acceptAll()
            #expect(detector.noise.threshold < 2.5 && detector.changed == 1)
        }
    }

    /// A moving camera never passes for noise.
    @Test func aPanKeepsCounting() {
        defer { marks.deallocate() }
        var scene = Scene()
        scene.paint(deviation: 2)
        begin(scene)
        for frame in 1...60 {
            scene.paint(deviation: 2, shift: 3 * frame)
            #expect(look(scene) > 0.6, "frame \(frame)")
        }
    }

    /// What has moved is computed once more when it stops, then left alone.
    @Test func cellsDoNotFlicker() {
        defer { marks.deallocate() }
        var scene = Scene()
        scene.paint()
        begin(scene)
        var counts: [Double] = []
        for frame in 0..<8 {
            scene.paint(square: (min(40, 24 + 4 * frame), 32))
            counts.append(look(scene))
        }
        #expect(counts[..<5].allSatisfy { $0 > 0 } && counts[6...].allSatisfy { $0 == 0 }, "\(counts)")
    }

    @Test func sizesThatDoNotFit() {
        defer { marks.deallocate() }
        #expect(ChangeDetector(width: 66, height: 64, pool: testPool) == nil)
        #expect(ChangeDetector(width: 64, height: 0, pool: testPool) == nil)
        #expect(ChangeDetector(width: 68, height: 60, pool: testPool)?.rows == 8)
    }
}

@Suite struct ReusePolicyTests {
    /// Where everything moves, six frames of eight are not looked at; stillness is noticed within eight.
    @Test func movementIsNotAlwaysLookedAt() {
        var policy = ReusePolicy(ReuseSettings(isOn: true)), looked: [Bool] = []
        for frame in 0..<58 {
            let rests = policy.rests()
            looked.append(!rests)
            guard !rests else { continue }
            let isOld = frame > 0 && !looked[frame - 1]
            let decision = policy.decide(canReuse: !isOld, changed: 0.9, computed: 1, hasLightChanged: false)
            #expect(decision == .full)
        }
        #expect(looked.prefix(8).allSatisfy { $0 } && looked.dropFirst(8).count { $0 } == 12)
        var frames = 0
        while frames < 20 {
            frames += 1
            if policy.rests() { continue }
            if policy.decide(canReuse: true, changed: 0.1, computed: 0.2, hasLightChanged: false) == .partial { break }
        }
        #expect(frames <= 8)
    }

    private func decide(_ policy: inout ReusePolicy, changed: Double = 0.2) -> ReusePolicy.Decision {
        policy.decide(canReuse: true, changed: changed, computed: 1.4 * changed, hasLightChanged: false)
    }

    @Test func theCapIsKept() {
        var policy = ReusePolicy(ReuseSettings(isOn: true, maxConsecutive: 5))
        let decisions = (0..<12).map { _ in decide(&policy) }
        let round = Array(repeating: ReusePolicy.Decision.partial, count: 5) + [.measured]
        #expect(decisions == round + round)
    }

    @Test func whatMovesIsComputedInFull() {
        var policy = ReusePolicy(ReuseSettings(isOn: true))
        #expect(decide(&policy, changed: 0.61) == .full)
        #expect(decide(&policy, changed: 0.6) == .partial)
        #expect(policy.decide(canReuse: true, changed: 0.5, computed: 0.86, hasLightChanged: false) == .full)
        #expect(policy.decide(canReuse: true, changed: 0, computed: 0, hasLightChanged: true) == .full)
        #expect(policy.decide(canReuse: false, changed: 0, computed: 0, hasLightChanged: false) == .full)
        #expect(policy.consecutive == 0)
    }

    /// Below the bound everything is tightened, and if nothing helps, reuse rests; well above it loosens again.
    @Test func theBoundIsKept() {
        var policy = ReusePolicy(ReuseSettings(isOn: true, minPSNR: 38, maxConsecutive: 40))
        policy.measured(psnr: 37)
        #expect(policy.limit == 20 && policy.sensitivity < 1 && policy.psnr == 37)
        for _ in 0..<10 { policy.measured(psnr: 30) }
        #expect(policy.limit == ReusePolicy.leastLimit)
        let decisions = (0..<ReusePolicy.pauseFrames).map { _ in decide(&policy) }
        #expect(decisions.allSatisfy { $0 == .full })
        #expect(decide(&policy) == .partial)
        for _ in 0..<30 { policy.measured(psnr: 45) }
        #expect(policy.limit == 40 && policy.sensitivity == 1)
    }

    @Test func settingsOutsideTheirRanges() {
        func sentence(_ settings: ReuseSettings) -> String? {
            do {
                try settings.check()
                return nil
            } catch { return "\(error)" }
        }
        #expect(sentence(ReuseSettings()) == nil)
        #expect(
            sentence(ReuseSettings(minPSNR: 10))
                == "reuse.min_psnr_db is 10.0; it must be from 20.0 to 60.0 dB, 38 by default")
        #expect(
            sentence(ReuseSettings(maxConsecutive: 0))
                == "reuse.max_consecutive is 0; it must be from 1 to 1000 frames, 60 by default")
        #expect(sentence(ReuseSettings(minPSNR: .nan)) != nil)
    }
}

@Suite struct RenewalFadeTests {
    private let fade = RenewalFade(width: 24, height: 16, columns: 3, rows: 2, pool: testPool)
    private let count = 3 * 24 * 16

    private func shown(_ new: [UInt8]) -> [UInt8]? {
        fade.show(new).map { Array(UnsafeBufferPointer(start: $0, count: count)) }
    }

    @Test func aRenewalIsSpread() {
        let new = [UInt8](repeating: 210, count: count)
        fade.old.update(repeating: 100, count: count)
        #expect(shown(new) == nil)
        fade.begin()
        var last: UInt8 = 100
        for frame in 0..<RenewalFade.frames {
            let now = shown(new) ?? []
            #expect(now.allSatisfy { $0 == now[0] } && now[0] > last && now[0] < 210 && now[0] - last <= 11, "\(frame)")
            last = now[0]
        }
        #expect(shown(new) == nil && last >= 199)
    }

    @Test func whatIsComputedAgainIsShown() {
        let new = [UInt8](repeating: 210, count: count)
        fade.old.update(repeating: 100, count: count)
        fade.begin()
        var cells: [UInt8] = [0, 1, 0, 0, 0, 0]
        cells.withUnsafeMutableBufferPointer { fade.refresh($0) }
        let now = shown(new) ?? []
        #expect(now[3 * 8] == 210 && now[3 * 16 - 1] == 210 && now[3 * 8 - 1] == 110 && now[3 * 16] == 110)
        #expect(now[3 * (8 * 24 + 8)] == 110)
        fade.cancel()
        #expect(shown(new) == nil)
    }
}

/// Sessions that reuse.
@Suite struct ReusingSessionTests {
    private static let size = FrameSize(width: 256, height: 192)

    private func session(_ reuse: ReuseSettings) throws -> EditSession {
        var settings = EditSettings(prompt: "make it a pencil drawing")
        settings.reuse = reuse
        let model = try EditingModel(Nano.folder("nano"), precision: .int8)
        let session = try EditSession(model: model, settings: settings, pool: testPool)
        try session.prepare(size: Self.size)
        return session
    }

    /// A still picture with a disc at `x`.
    private func picture(_ x: Int) -> StoredFrame {
        let smooth = TestPicture(smooth: Self.size)
        var pixels = smooth.pixels
        for row in 20..<60 {
            for column in x..<x + 40 where (row - 40) * (row - 40) + (column - x - 20) * (column - x - 20) < 400 {
                for c in 0..<3 { pixels[3 * (row * Self.size.width + column) + c] = UInt8(230 - 40 * c) }
            }
        }
        return StoredFrame(size: Self.size, pixels: pixels)
    }

    @Test func aMovingDiscCostsLittleAndStaysNear() throws {
        let reusing = try session(ReuseSettings(isOn: true, maxConsecutive: 100)), full = try session(ReuseSettings())
        var reused: [StoredFrame] = [], exact: [StoredFrame] = [], operations = 0
        for frame in 0..<12 {
            reused.append(try picture(30 + 3 * frame).edited(by: reusing))
            exact.append(try picture(30 + 3 * frame).edited(by: full))
            #expect(reusing.lastWork.isReused == (frame > 0))
            if frame > 0 { operations += reusing.lastWork.operations }
        }
        #expect(full.lastWork == EditWork(isReused: false, operations: full.operations, changed: 1))
        #expect(operations * 2 < 11 * full.operations, "\(operations)")
        #expect(StoredFrame.psnr(reused, exact) > 38)
        #expect(reused[0].pixels == exact[0].pixels && reused[5].pixels != reused[4].pixels)
    }

    @Test func aStillPictureIsFreeAndTheSame() throws {
        let reusing = try session(ReuseSettings(isOn: true, maxConsecutive: 3))
        let first = try picture(30).edited(by: reusing)
        for frame in 1...8 {
            #expect(try picture(30).edited(by: reusing).pixels == first.pixels)
            #expect(reusing.lastWork.operations == (frame % 4 == 0 ? reusing.operations : 0), "frame \(frame)")
        }
        #expect(reusing.reusePSNR == 99)
    }

    @Test func guidanceAndMayReuseForceFullFrames() throws {
        let reusing = try session(ReuseSettings(isOn: true))
        func isReused() throws -> Bool {
            _ = try picture(30).edited(by: reusing)
            return reusing.lastWork.isReused
        }
        #expect(try [isReused(), isReused()] == [false, true])
        try reusing.setGuidance(4, image: nil)
        #expect(try [isReused(), isReused()] == [false, true])
        reusing.mayReuse = false
        #expect(try [isReused(), isReused()] == [false, false])
        reusing.mayReuse = true
        #expect(try isReused())
        try reusing.prepare(size: FrameSize(width: 64, height: 64))
        try reusing.prepare(size: Self.size)
        #expect(try !isReused())
    }

    @Test func floatsSayThatNothingIsReused() throws {
        var settings = EditSettings(prompt: WholeEditor.prompt)
        settings.reuse.isOn = true
        let session = try EditSession(model: try WholeEditor.model.get(), settings: settings, pool: testPool)
        #expect(session.warnings == ["reuse needs a model on integers: every frame is computed in full"])
    }
}
