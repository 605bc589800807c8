/// The rung a stream stands on: down at once, up only after lasting slack.
public struct Ladder: Sendable {
    /// How long a better rung must make its deadlines with slack before a stream climbs to it.
    public static let patience: Nanoseconds = .milliseconds(500)

    /// Where the stream stands.
    public private(set) var rung: Rung
    private var slackSince: Nanoseconds?

    /// Begins on `rung`.
    public init(rung: Rung = .edited) { self.rung = rung }

    /// Chooses the rung for a frame. `fits` has the rungs that make its deadline, `roomy` those that make it with slack.
    ///
    /// Allocates nothing.
    public mutating func choose(fits: RungSet, roomy: RungSet, now: Nanoseconds) -> (rung: Rung, reason: Reason) {
        let best = fits.best ?? .held
        guard best < rung else {
            let fell = best > rung
            rung = best
            slackSince = nil
            return (rung, fell || rung != .edited ? .predictedLate : .onTime)
        }
        guard let target = roomy.best, target < rung else {
            slackSince = nil
            return (rung, .predictedLate)
        }
        let since = slackSince ?? now
        slackSince = since
        guard now - since >= Self.patience else { return (rung, .climbing) }
        rung = target
        slackSince = nil
        return (rung, .onTime)
    }
}
