import Tensors
import TestSupport
import Testing

@testable import Compute

@Suite struct PlanTests {
    /// Random graphs: values that share memory must give what values with memory of their own give.
    @Test(arguments: 0..<60) func sharedMemoryChangesNothing(_ seed: UInt64) {
        let shared = RandomGraph(seed: seed, pinsAll: false).plan()
        let pinned = RandomGraph(seed: seed, pinsAll: true).plan()
        for _ in 0..<2 {  // the second run finds what the first left
            shared.run()
            pinned.run()
            #expect(Array(shared.output("last")) == Array(pinned.output("last")))
            #expect(Array(shared.output("middle")) == Array(pinned.output("middle")))
        }
        #expect(shared.memory <= pinned.memory)
    }

    @Test func memoryIsShared() {
        let g = TestGraph()
        var x = g.input(Shape(1, 1, 1000, 1)).value
        for _ in 0..<20 { x = g.graph.affine(x, scale: 1, shift: 1) }
        g.graph.output("x", x)
        let bytes = 1008 * MemoryLayout<Float>.size
        #expect(g.plan().memory == 4 * bytes, "input, output and two between")
    }

    @Test func stopsBetweenSteps() {
        let g = TestGraph()
        var x = g.input(Shape(1, 1, 4, 1), [0, 0, 0, 0]).value
        for index in 0..<5 {
            x = g.graph.affine(x, scale: 1, shift: 1)
            g.graph.output("x\(index)", x)
        }
        let plan = g.plan()
        var asked = 0
        #expect(
            plan.run {
                asked += 1; return asked > 3
            } == .stopped)
        #expect(asked == 4)
        #expect((0..<5).map { plan.output("x\($0)")[0] } == [1, 2, 3, 0, 0])
        #expect(plan.run() == .finished)
        #expect(plan.output("x4")[0] == 5)
        #expect(plan.run { true } == .stopped)
    }

    @Test func staticStepsRunInPrepareOnly() {
        let g = TestGraph()
        let prompt = g.input(Shape(1, 1, 2, 1), [1, 2], isStatic: true).value
        let frame = g.input(Shape(1, 1, 2, 1), [10, 20]).value
        let heavy = g.graph.affine(prompt, scale: 100)
        g.graph.output("heavy", heavy)
        g.graph.output("sum", g.graph.add(heavy, frame))
        let plan = g.plan()
        #expect(plan.stages.count == 1 && plan.stages[0].operations == 0)
        plan.run()
        #expect(Array(plan.output("sum")) == [110, 220])
        plan.input("input 0")[0] = 5
        plan.run()
        #expect(Array(plan.output("sum")) == [110, 220], "not before prepare")
        plan.prepare()
        #expect(Array(plan.output("heavy")) == [500, 200])
        plan.run()
        #expect(Array(plan.output("sum")) == [510, 220])
    }

    @Test func stagesHaveNamesAndOrder() {
        let g = TestGraph()
        var x = g.input(Shape(1, 1, 2, 1), [1, 2]).value
        g.graph.beginStage("first")
        x = g.graph.affine(x, scale: 2)
        g.graph.beginStage("nothing")
        g.graph.beginStage("second")
        x = g.graph.affine(x, scale: 3)
        g.graph.output("x", x)
        let plan = g.plan()
        #expect(plan.stages.map(\.name) == ["first", "second"])
        for stage in plan.stages { plan.run(stage) }
        #expect(Array(plan.output("x")) == [6, 12])
        var time = 0.0
        let profile = plan.profile {
            time += 0.5; return time
        }
        #expect(profile.map(\.name) == ["affine", "affine"] && profile.allSatisfy { $0.seconds == 0.5 })
    }

    @Test func unknownNames() {
        let plan = TestGraph().plan()
        #expect(plan.input("x").isEmpty && plan.output("x").isEmpty && plan.shape(ofOutput: "x") == nil)
        #expect(plan.run() == .finished && plan.stages.isEmpty && plan.operations == 0)
    }
}

/// Twenty random operators on random earlier values, some static, some outputs.
private struct RandomGraph {
    private let test: TestGraph

    init(seed: UInt64, pinsAll: Bool) {
        test = TestGraph(seed: seed)
        var random = TestRandom(seed: seed &+ 1000)
        func pick(_ count: Int) -> Int { min(count - 1, Int((random.next() + 1) / 2 * Float(count))) }
        let g = test.graph
        var values = (0..<3).map { test.input(Shape(1, 4, 4, 1 + pick(9)), isStatic: $0 == 0).value }
        for index in 0..<20 {
            let x = values[pick(values.count)]
            let other = values.last { $0.shape == x.shape } ?? x
            let made: Value
            switch pick(7) {
            case 0: made = g.affine(x, scale: 0.5, shift: 0.1)
            case 1: made = g.add(x, other)
            case 2: made = g.concatenate([x, values[pick(values.count)]])
            case 3 where x.shape.channels > 1: made = g.slice(x, 0..<x.shape.channels / 2)
            case 4: made = g.activate(x, .tanh)
            case 5: made = g.mix(x, 0.25, other, 0.5)
            default: made = g.attention(query: x, key: other, value: x, heads: 1)
            }
            values.append(made)
            if pinsAll { g.output("value \(index)", made) }
            if index == 9 { g.output("middle", made) }
        }
        g.output("last", values[values.count - 1])
    }

    func plan() -> Plan { test.plan() }
}
