import Glibc

/// The output clock: ticks at exactly the configured rate, whatever happens to frames.
///
/// Tick n has the timestamp n / rate, exact and even. Its moment is the timestamp after the origin, moved by a phase that is
/// never more than half a period and changes by at most a hundredth of one from tick to tick: so the ticks come to lie a
/// little after the moments at which frames get finished, and a few microseconds of jitter do not decide whether a tick
/// finds a new frame.
public struct Pacer: Sendable {
    /// One output tick.
    public struct Tick: Sendable, Equatable {
        /// Its number; grows by one, by more only after a pause of over a second.
        public let number: Int
        /// Nanoseconds since the first tick.
        public let timestamp: Nanoseconds
        /// Ticks left out before this one.
        public let skipped: Int
    }

    /// Nanoseconds between ticks, rounded.
    public let period: Nanoseconds
    private let numerator: Int128
    private let denominator: Int128
    private let origin: Nanoseconds
    private var number = 0
    private var steering: PhaseSteering

    /// Ticks at `numerator / denominator` a second (both positive), the first at `origin`.
    public init(numerator: Int, denominator: Int, origin: Nanoseconds) {
        self.numerator = Int128(max(1, numerator))
        self.denominator = Int128(max(1, denominator))
        self.origin = origin
        period = Nanoseconds(1_000_000_000 * self.denominator / self.numerator)
        steering = PhaseSteering(period: period)
    }

    /// When the next tick is due.
    public var due: Nanoseconds { origin + timestamp(of: number) + steering.offset }

    /// Takes the next tick, late or not: a late one is made up for at once, so that the rate stays exact. After a pause
    /// of more than a second the ticks in it are left out.
    public mutating func take(now: Nanoseconds) -> Tick {
        var skipped = 0
        let late = now - due
        if late > 1_000_000_000 {
            skipped = Int(late / max(1, period))
            number += skipped
        }
        let tick = Tick(number: number, timestamp: timestamp(of: number), skipped: skipped)
        number += 1
        steering.step()
        return tick
    }

    /// A frame was finished at `time`; the phase follows where frames come at this clock's rate.
    public mutating func noteFinish(at time: Nanoseconds) { steering.note(finish: time - origin) }

    private func timestamp(of number: Int) -> Nanoseconds {
        let scaled = Int128(number) * 1_000_000_000 * denominator
        return Nanoseconds((scaled + numerator / 2) / numerator)
    }
}

/// Finds the phase in which frames get finished, and moves the ticks' slowly to lie behind it.
struct PhaseSteering: Sendable {
    /// How far ticks are moved.
    private(set) var offset: Nanoseconds = 0

    private let period: Nanoseconds
    private var target: Nanoseconds = 0
    private var cosine = 0.0
    private var sine = 0.0
    private var samples = 0

    /// The part of a period that should lie between a frame's end and its tick: more where frames take differently long,
    /// ten of their deviations and a tenth: edits have long tails. Every part of it is latency.
    private static let wanted = 0.12...0.6
    /// How much of it, and how much more than it, is left alone.
    private static let tolerated = (least: 0.6, more: 0.1)
    private static let memory = 0.1

    init(period: Nanoseconds) { self.period = max(1, period) }

    /// `finish` in nanoseconds after the ticks' origin.
    mutating func note(finish: Nanoseconds) {
        let angle = 2 * Double.pi * part(finish)
        cosine += (cos(angle) - cosine) * Self.memory
        sine += (sin(angle) - sine) * Self.memory
        samples += 1
        // Frames at another rate than the clock's come in every phase: there is nothing to follow.
        let length = hypot(cosine, sine)
        guard samples >= 20, length > 0.8 else { return }
        let deviation = (-2 * log(min(1, length))).squareRoot() / (2 * .pi)
        let wanted = min(Self.wanted.upperBound, max(Self.wanted.lowerBound, 0.1 + 10 * deviation))
        let phase = atan2(sine, cosine) / (2 * .pi)
        let gap = part(target) - phase
        let present = gap - gap.rounded(.down)
        if present > wanted * Self.tolerated.least, present < wanted + Self.tolerated.more { return }
        let next = phase + wanted
        target = Nanoseconds((next - next.rounded()) * Double(period))
    }

    /// One tick's share of the way.
    mutating func step() {
        let most = max(1, period / 100)
        offset += min(most, max(-most, target - offset))
    }

    /// Where in a period a time lies, in 0..<1.
    private func part(_ time: Nanoseconds) -> Double {
        let rest = time % period
        return Double(rest < 0 ? rest + period : rest) / Double(period)
    }
}
