import Glibc
import Tensors
import TestSupport
import Testing

@testable import Compute

/// Attention to anchor frames, against plain loops over all keys.
@Suite struct AnchorTests {
    private static let shape = Shape(2, 3, 7, 12)
    private static let heads = 3

    private typealias Frame = (q: [Float], k: [Float], v: [Float])

    /// Three inputs and the attention of a graph with `slots` slots.
    private func graph(slots: Int) -> Graph {
        let graph = Graph()
        graph.anchorSlots = slots
        let values = ["q", "k", "v"].map { graph.input($0, Self.shape) }
        graph.output(
            "result", graph.selfAttention(query: values[0], key: values[1], value: values[2], heads: Self.heads))
        return graph
    }

    private func frame(_ random: inout TestRandom) -> Frame {
        (random.numbers(Self.shape.count), random.numbers(Self.shape.count), random.numbers(Self.shape.count))
    }

    private func run(_ plan: Plan, _ frame: Frame) -> [Float] {
        for (name, numbers) in [("q", frame.q), ("k", frame.k), ("v", frame.v)] {
            _ = plan.input(name).update(from: numbers)
        }
        plan.run()
        return Array(plan.output("result"))
    }

    /// Attention to all `seen` frames, whose weights multiply the powers of their scores.
    private func reference(_ query: [Float], _ seen: [(frame: Frame, weight: Double)]) -> [Double] {
        let s = Self.shape, width = s.channels / Self.heads
        var result = [Double](repeating: 0, count: s.count)
        for b in 0..<s.batch {
            for h in 0..<Self.heads {
                for i in 0..<s.area {
                    let own = (b * s.area + i) * s.channels + h * width
                    var sum = 0.0
                    for (frame, weight) in seen {
                        for j in 0..<s.area {
                            let other = (b * s.area + j) * s.channels + h * width
                            let score = (0..<width).reduce(0.0) {
                                $0 + Double(query[own + $1]) * Double(frame.k[other + $1])
                            }
                            let power = weight * exp(score / Double(width).squareRoot())
                            sum += power
                            for c in 0..<width { result[own + c] += power * Double(frame.v[other + c]) }
                        }
                    }
                    for c in 0..<width { result[own + c] /= sum }
                }
            }
        }
        return result
    }

    @Test func framesAttendToWhatWasKept() {
        var random = TestRandom(seed: 5)
        let first = frame(&random), second = frame(&random), later = frame(&random)
        let plan = Plan(graph(slots: 3), pool: TestGraph.pool), anchors = plan.anchors
        anchors.keeping = 0
        expectEqual(run(plan, first), reference(first.q, [(first, 1)]), "a frame that sees itself alone")
        anchors.keeping = 2
        expectEqual(run(plan, second), reference(second.q, [(second, 1)]), "what is kept is not seen yet")
        anchors.keeping = nil
        anchors[0] = 1
        expectEqual(run(plan, later), reference(later.q, [(first, 1), (later, 1)]), "one anchor")
        anchors[2] = 0.25
        expectEqual(
            run(plan, later), reference(later.q, [(first, 1), (second, 0.25), (later, 1)]), "a second that fades in")
        anchors[0] = 0
        expectEqual(
            run(plan, later), reference(later.q, [(second, 0.25), (later, 1)]), "a slot of weight 0 is skipped")
        anchors[0] = 1
        anchors.keeping = 0
        expectEqual(
            run(plan, later), reference(later.q, [(first, 1), (second, 0.25), (later, 1)]),
            "a frame sees what it is about to replace")
        anchors.keeping = nil
        expectEqual(
            run(plan, second), reference(second.q, [(later, 1), (second, 1.25)]), "then it is replaced")
    }

    /// Memory for anchors that nobody uses changes no bit.
    @Test func weightsOfZeroAreAPlainAttention() {
        var random = TestRandom(seed: 6)
        let frame = frame(&random)
        let plain = Plan(graph(slots: 0), pool: TestGraph.pool), anchored = Plan(graph(slots: 2), pool: TestGraph.pool)
        #expect(run(plain, frame) == run(anchored, frame))
        #expect(plain.anchors.memory == 0 && plain.anchors.slots == 0)
        #expect(anchored.anchors.memory == 2 * 2 * Self.shape.count * 4)
    }

    @Test func weightsAndSlotsAreBroughtIntoRange() {
        let anchors = Plan(graph(slots: 2), pool: TestGraph.pool).anchors
        anchors[0] = 3
        anchors[1] = -1
        anchors[2] = 1
        #expect(anchors[0] == 1 && anchors[1] == 0 && anchors[2] == 0 && anchors.activeCount == 1)
        anchors[0] = .nan
        #expect(anchors[0] == 0 && anchors.activeCount == 0)
        anchors.keeping = 2
        #expect(anchors.keeping == nil)
        let graph = Graph()
        graph.anchorSlots = 100
        #expect(graph.anchorSlots == AnchorBank.mostSlots)
    }

    /// Layers q, k, v and out around an attention, on integers: the anchors' part of the result, which is most of it here,
    /// is that of the float graph up to rounding, whatever the weights.
    @Test(arguments: [(1, 8, 4, 4), (2, 24, 5, 7), (1, 32, 12, 16)])
    func integersAttendToo(_ size: (batch: Int, channels: Int, height: Int, width: Int)) throws {
        let g = TestGraph(seed: 21), c = size.channels
        let x = g.graph.input("x", Shape(size.batch, size.height, size.width, c))
        g.graph.anchorSlots = 2
        func linear(_ x: Value, _ name: String) throws -> Value {
            let numbers = g.numbers(c * c).map { $0 * 2 / Float(c).squareRoot() }
            return g.graph.linear(x, ConvolutionWeights(try stored(numbers, [c, c]), bias: nil, name: name))
        }
        let attended = g.graph.selfAttention(
            query: try linear(x, "q"), key: try linear(x, "k"), value: try linear(x, "v"), heads: 2)
        g.graph.output("result", try linear(attended, "out"))
        let observer = RangeObserver(), observed = g.plan { $0.observed(by: observer) }
        let frames = (0..<3).map { _ in g.numbers(x.shape.count) }
        for frame in frames {
            _ = observed.input("x").update(from: frame)
            observed.run()
        }
        let quantization = Quantization(layers: observer.ranges.mapValues { Quantizer(covering: $0) })
        let float = g.plan(), integer = g.plan { $0.quantized(quantization) }
        #expect(integer.anchors.slots == 2 && integer.anchors.memory > 0)
        #expect(integer.anchors.memory < float.anchors.memory || c < 32, "packed, and so smaller")
        func results(_ weights: (Float, Float)) -> [[Float]] {
            [float, integer].map { plan in
                for slot in 0..<2 {
                    plan.anchors[0] = 0
                    plan.anchors[1] = 0
                    plan.anchors.keeping = slot
                    _ = plan.input("x").update(from: frames[slot])
                    plan.run()
                }
                plan.anchors.keeping = nil
                plan.anchors[0] = weights.0
                plan.anchors[1] = weights.1
                _ = plan.input("x").update(from: frames[2])
                plan.run()
                return Array(plan.output("result"))
            }
        }
        let alone = results((0, 0))
        for weights in [(1, 0), (0, 1), (1, 1), (0.5, 0.5), (0.01, 0.99)] as [(Float, Float)] {
            let both = results(weights)
            let error = relativeError(both[1], both[0])
            #expect(error < 0.05, "\(weights): relative error \(error)")
            let effect = relativeError(alone[0], both[0])
            #expect(effect > 0.25, "\(weights): anchors change \(effect)")
        }
        #expect(relativeError(alone[1], alone[0]) < 0.05)
    }
}
