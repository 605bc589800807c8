import Scheduling
import Testing

struct CostModelTests {
    private let ms = Nanoseconds.milliseconds(1)

    @Test func knowsNothingAtFirst() {
        let model = CostModel(steps: 3)
        #expect(model.predict(.edited) == nil && model.remaining(.edited, before: 1) == nil)
        #expect(model.predict(.held) == 0 && model.remaining(.placeholder, before: 0) == 0)
    }

    @Test func theEstimateIsAHighQuantileOfTheWindow() {
        var tracker = QuantileTracker(quantile: 0.95)
        for sample in 1...QuantileTracker.window { tracker.note(Nanoseconds(1000 + sample)) }
        #expect(tracker.count == QuantileTracker.window)
        #expect(tracker.estimate == 1031)
        #expect(tracker.median == 1017)
        for sample in 1...QuantileTracker.window { tracker.note(Nanoseconds(1000 + 5 * sample % 7)) }
        #expect(tracker.estimate == 1006, "the old window is gone")
    }

    /// Against sorting the last samples, through every kind of forgetting.
    @Test func keepsExactlyTheLastSamples() throws {
        var tracker = QuantileTracker(quantile: 0.5), all: [Nanoseconds] = [], seed: UInt64 = 3
        for round in 0..<2000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            let level: Nanoseconds = round / 150 % 2 == 0 ? 10_000 : 25_000
            let sample = level + Nanoseconds(seed >> 56)
            tracker.note(sample)
            all.append(sample)
            let window = all.suffix(tracker.count).sorted()
            try #require(tracker.median == window[Int((Double(window.count - 1) * 0.5).rounded(.up))], "\(round)")
        }
    }

    @Test func oneOutlierChangesLittle() throws {
        var model = CostModel()
        for _ in 0..<31 { model.note(.edited, cost: 20 * ms) }
        model.note(.edited, cost: 200 * ms)
        #expect(model.predict(.edited) == 20 * ms)
    }

    @Test(arguments: [2.0, 1.3]) func aSlowerMachineIsLearnedInFourFrames(_ factor: Double) throws {
        var model = CostModel()
        for index in 0..<100 { model.note(.edited, cost: 20 * ms + Nanoseconds(index % 5) * ms / 10) }
        for _ in 0..<QuantileTracker.slowerInARow { model.note(.edited, cost: .milliseconds(20 * factor)) }
        let median = try #require(model.median(.edited))
        #expect(median == .milliseconds(20 * factor), "nothing of the old speed is left")
    }

    @Test func aFasterMachineIsLearnedInSixFrames() throws {
        var model = CostModel()
        for _ in 0..<100 { model.note(.edited, cost: 40 * ms) }
        for _ in 0..<5 { model.note(.edited, cost: 20 * ms) }
        #expect(model.predict(.edited) == 40 * ms)
        model.note(.edited, cost: 20 * ms)
        #expect(model.predict(.edited) == 20 * ms)
    }

    @Test func remainingStepsAddUpToAtMostTheWhole() throws {
        var model = CostModel(steps: 3)
        for _ in 0..<10 {
            for step in 0..<3 { model.note(.edited, step: step, cost: Nanoseconds(step + 1) * ms) }
            model.note(.edited, cost: 5 * ms)
        }
        #expect(model.remaining(.edited, before: 2) == 3 * ms)
        #expect(model.remaining(.edited, before: 1) == 5 * ms)
        #expect(model.remaining(.edited, before: 0) == 5 * ms)
        #expect(model.remaining(.edited, before: 3) == 0 && model.remaining(.edited, before: 9) == 0)
        #expect(model.remaining(.reused, before: 1) == nil)
        model.note(.edited, step: 7, cost: ms)
        model.reset()
        #expect(model.predict(.edited) == nil)
    }
}
