/// What a frame costs on each rung, in all and step by step: high quantiles of what it cost lately.
public struct CostModel: Sendable {
    /// The quantile that predictions use.
    public static let quantile = 0.95

    /// Steps of a frame that are tracked.
    public let steps: Int
    private var whole: [QuantileTracker]
    private var parts: [QuantileTracker]

    /// A model that knows nothing, for frames of so many steps (at least 0).
    public init(steps: Int = 0) {
        self.steps = max(0, steps)
        let computed = Rung.propagated.rawValue + 1
        whole = (0..<computed).map { _ in QuantileTracker(quantile: Self.quantile) }
        parts = (0..<computed * self.steps).map { _ in QuantileTracker(quantile: Self.quantile) }
    }

    /// Nanoseconds that a frame on `rung` will take, almost surely; 0 for rungs that compute nothing, nil when unknown.
    public func predict(_ rung: Rung) -> Nanoseconds? {
        rung.isComputed ? whole[rung.rawValue].estimate : 0
    }

    /// The middle of what frames on `rung` took; nil when unknown.
    public func median(_ rung: Rung) -> Nanoseconds? {
        rung.isComputed ? whole[rung.rawValue].median : 0
    }

    /// What is left of a frame on `rung` before step `step`; nil when one of the steps left is unknown.
    ///
    /// Never more than the whole: high quantiles of many steps add up to more than the frame's own.
    public func remaining(_ rung: Rung, before step: Int) -> Nanoseconds? {
        guard rung.isComputed else { return 0 }
        guard step > 0 else { return predict(rung) }
        var sum: Nanoseconds = 0
        for index in min(step, steps)..<steps {
            guard let cost = parts[rung.rawValue * steps + index].estimate else { return nil }
            sum += cost
        }
        return min(sum, predict(rung) ?? sum)
    }

    /// Learns what a frame cost. Allocates nothing.
    public mutating func note(_ rung: Rung, cost: Nanoseconds) {
        if rung.isComputed { whole[rung.rawValue].note(cost) }
    }

    /// Learns what one step of a frame cost; steps beyond those tracked are ignored. Allocates nothing.
    public mutating func note(_ rung: Rung, step: Int, cost: Nanoseconds) {
        guard rung.isComputed, (0..<steps).contains(step) else { return }
        parts[rung.rawValue * steps + step].note(cost)
    }

    /// Forgets everything: another model, another size.
    public mutating func reset() {
        for index in whole.indices { whole[index].reset() }
        for index in parts.indices { parts[index].reset() }
    }
}
