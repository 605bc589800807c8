/// A quantile of the last samples of a cost, learned anew when the machine changes its speed.
///
/// Keeps a window of samples, sorted as they come; memory is taken once. When several samples in a row lie well above
/// the estimate, or well below the middle, the older ones tell of a machine that is no more, and are forgotten.
public struct QuantileTracker: Sendable {
    /// Samples that count.
    public static let window = 32
    /// Samples in a row that make a new speed, when they are slower than the estimate.
    public static let slowerInARow = 4
    /// The same when they are faster than the middle: a little more patience, since being wrong here makes frames late.
    public static let fasterInARow = 6

    private let quantile: Double
    /// The last samples in the order they came; a ring.
    private var recent: [Nanoseconds]
    private var sorted: [Nanoseconds]
    private var next = 0
    private var usual: Nanoseconds = 0
    private var slower = 0
    private var faster = 0

    /// Samples that count at the moment, at most `window`.
    public private(set) var count = 0

    /// A tracker of this quantile, in 0...1.
    public init(quantile: Double) {
        self.quantile = min(1, max(0, quantile))
        recent = Array(repeating: 0, count: Self.window)
        sorted = Array(repeating: 0, count: Self.window)
    }

    /// The quantile of the samples that count; nil before the first.
    public var estimate: Nanoseconds? { count == 0 ? nil : value(at: quantile) }

    /// The middle of the samples that count; nil before the first.
    public var median: Nanoseconds? { count == 0 ? nil : value(at: 0.5) }

    /// Takes a sample; negative ones count as 0. Allocates nothing.
    public mutating func note(_ sample: Nanoseconds) {
        let sample = max(0, sample)
        watch(sample)
        if count == Self.window { remove(recent[next]) }
        insert(sample)
        recent[next] = sample
        next = (next + 1) % Self.window
        if slower >= Self.slowerInARow { keepOnly(slower) }
        if faster >= Self.fasterInARow { keepOnly(faster) }
    }

    /// Forgets everything.
    public mutating func reset() {
        count = 0
        next = 0
        slower = 0
        faster = 0
    }

    private func value(at quantile: Double) -> Nanoseconds { sorted[Int((Double(count - 1) * quantile).rounded(.up))] }

    /// Counts samples in a row that do not fit what is known.
    private mutating func watch(_ sample: Nanoseconds) {
        guard count >= Self.slowerInARow, let high = estimate, let middle = median else { return }
        if slower == 0 { usual = high }  // the first slow samples already move the estimate
        slower = Double(sample) > Double(usual) * 1.15 ? slower + 1 : 0
        faster = Double(sample) < Double(middle) * 0.75 ? faster + 1 : 0
    }

    private mutating func keepOnly(_ last: Int) {
        let last = min(last, count)
        var place = next
        count = 0
        for _ in 0..<last {
            place = (place + Self.window - 1) % Self.window
            insert(recent[place])
        }
        // The ring holds them as its newest; older places count as empty.
        compact(last)
        slower = 0
        faster = 0
    }

    /// Moves the newest `last` samples to the beginning of the ring, so that the place after them is free.
    private mutating func compact(_ last: Int) {
        let first = (next + Self.window - last) % Self.window
        // Rotate step by step: the window is small and this is rare.
        for _ in 0..<first {
            let head = recent[0]
            for index in 1..<Self.window { recent[index - 1] = recent[index] }
            recent[Self.window - 1] = head
        }
        next = last % Self.window
    }

    private mutating func insert(_ sample: Nanoseconds) {
        var place = count
        while place > 0, sorted[place - 1] > sample {
            sorted[place] = sorted[place - 1]
            place -= 1
        }
        sorted[place] = sample
        count += 1
    }

    private mutating func remove(_ sample: Nanoseconds) {
        var place = 0
        while place < count - 1, sorted[place] != sample { place += 1 }
        while place < count - 1 {
            sorted[place] = sorted[place + 1]
            place += 1
        }
        count -= 1
    }
}
