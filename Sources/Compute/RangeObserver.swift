import Synchronization
import Tensors

/// Looks at what every convolution of a graph is given: `Graph.observed(by:)`.
public protocol InputObserver: Sendable {
    /// The numbers that the convolution `layer` reads in this run.
    func see(_ numbers: UnsafeBufferPointer<Float>, layer: String)
}

/// Collects the smallest and largest number that every convolution of a graph was given.
public final class RangeObserver: InputObserver {
    private let seen = Mutex<[String: ClosedRange<Float>]>([:])

    /// An observer that has seen nothing.
    public init() {}

    /// Ranges by the layer's name.
    public var ranges: [String: ClosedRange<Float>] { seen.withLock { $0 } }

    /// Widens the range of `layer` by these numbers.
    public func see(_ numbers: UnsafeBufferPointer<Float>, layer: String) {
        var low = Float.infinity, high = -Float.infinity
        for number in numbers {
            low = min(low, number)
            high = max(high, number)
        }
        guard low <= high else { return }
        seen.withLock {
            let old = $0[layer] ?? low...high
            $0[layer] = min(old.lowerBound, low)...max(old.upperBound, high)
        }
    }
}

extension Graph {
    /// This graph, telling `observer` what every convolution of a frame is given. For calibration: slower.
    public func observed(by observer: some InputObserver) -> Graph {
        let target = Graph(valuesOf: self)
        var stage = 0
        for step in steps {
            while stage < step.stage {
                stage += 1
                target.beginStage(stageNames[stage])
            }
            if case .convolution(let convolution) = step.operation, !step.isStatic {
                let input = step.inputs[0], name = convolution.weights.name
                _ = target.record("observe", from: [input], shape: Shape(1, 1, 1, 1)) { context, _ in
                    observer.see(UnsafeBufferPointer(start: context[input], count: input.shape.count), layer: name)
                }
            }
            target.append(step)
        }
        return target
    }

    /// Names of the convolutions that run once a frame and could run on integers, in their order.
    public var quantizableLayers: [String] {
        steps.compactMap { step in
            guard case .convolution(let convolution) = step.operation, !step.isStatic else { return nil }
            return convolution.weights.name
        }
    }
}
