/// Keeps the processor time of the whole program at a share of the machine: credit comes in steadily, use is taken off.
public struct CPUBudget: Sendable {
    /// Credit that may pile up, in time of a machine that works at the budget.
    public static let burst: Nanoseconds = .milliseconds(50)
    /// Debt that is remembered.
    public static let longestDebt: Nanoseconds = .seconds(10)

    /// Processor seconds a second.
    public let rate: Double
    private var balance: Double = 0
    private var last: (now: Nanoseconds, used: Nanoseconds)?

    /// A budget of `percent` (above 0, at most 100) of `processors`.
    public init(percent: Double, processors: Int) {
        rate = min(100, max(0, percent)) / 100 * Double(max(1, processors))
    }

    /// Whether there is credit left.
    public var allows: Bool { balance >= 0 }

    /// Takes note of the processor time that the program has `used` since its start. Allocates nothing.
    public mutating func update(now: Nanoseconds, used: Nanoseconds) {
        if let last {
            balance += Double(now - last.now) * rate - Double(used - last.used)
            balance = min(balance, Double(Self.burst) * rate)
            balance = max(balance, -Double(Self.longestDebt) * rate)
        }
        last = (now, used)
    }
}
