/// Decides which frames are computed in full, and keeps the measured difference of the others within its bound.
///
/// Pure: it is told what was measured.
public struct ReusePolicy: Sendable {
    /// What is to be done with a frame.
    public enum Decision: Equatable, Sendable {
        /// All of it.
        case full
        /// All of it, after its changed parts alone have been, to measure the difference.
        case measured
        /// Its changed parts alone.
        case partial
    }

    private let settings: ReuseSettings
    /// Reused frames since the last full one.
    public private(set) var consecutive = 0
    /// Reused frames that may follow each other now.
    public private(set) var limit: Int
    /// Factor on the detector's threshold.
    public private(set) var sensitivity = 1.0
    /// The last measured PSNR in dB; nil before.
    public private(set) var psnr: Double?
    /// Frames for which nothing is reused, because the bound was missed in spite of all.
    private var pause = 0
    /// Frames in a row of which too much had changed, and frames that are not looked at because of that.
    private var movingFrames = 0
    private var restLeft = 0

    /// A frame of which more has changed is computed in full: its parts would cost nearly as much.
    public static let mostChanged = 0.6
    /// The same for what would have to be computed, halo included.
    public static let mostComputed = 0.85
    static let leastLimit = 4
    static let leastSensitivity = 0.5
    static let pauseFrames = 300
    /// After so many frames in a row of which too much has changed, so many are computed without looking.
    static let restAfter = 8, restFrames = 6
    /// dB above the bound that loosen again what was tightened.
    static let slack = 1.5

    /// A policy for these settings.
    public init(_ settings: ReuseSettings) {
        self.settings = settings
        limit = settings.maxConsecutive
    }

    /// Whether the next frame is computed in full without being looked at: everything moves, and looking costs time. The
    /// frame after that is looked at, but what it is compared with is old, so it is computed in full as well.
    public mutating func rests() -> Bool {
        guard restLeft > 0 else { return false }
        restLeft -= 1
        consecutive = 0
        return true
    }

    /// What to do with the next frame.
    ///
    /// - Parameters:
    ///   - canReuse: whether there is something to reuse, and the caller allows it.
    ///   - changed: the share of cells that have changed.
    ///   - computed: the share that a partial run would compute, halo included.
    ///   - hasLightChanged: whether the light of the whole picture has.
    public mutating func decide(canReuse: Bool, changed: Double, computed: Double, hasLightChanged: Bool) -> Decision {
        let isPaused = pause > 0
        if isPaused { pause -= 1 }
        if canReuse {
            movingFrames = changed > Self.mostChanged || computed > Self.mostComputed ? movingFrames + 1 : 0
            if movingFrames >= Self.restAfter { restLeft = Self.restFrames }
        }
        guard canReuse, !isPaused, changed <= Self.mostChanged, computed <= Self.mostComputed, !hasLightChanged else {
            consecutive = 0
            return .full
        }
        if consecutive >= limit {
            consecutive = 0
            return .measured
        }
        consecutive += 1
        return .partial
    }

    /// Takes in the PSNR in dB of a reused picture against the full computation of the same frame.
    public mutating func measured(psnr: Double) {
        self.psnr = psnr
        if psnr < settings.minPSNR {
            if limit <= Self.leastLimit, sensitivity <= Self.leastSensitivity { pause = Self.pauseFrames }
            limit = max(min(Self.leastLimit, settings.maxConsecutive), limit / 2)
            sensitivity = max(Self.leastSensitivity, sensitivity * 0.8)
        } else if psnr > settings.minPSNR + Self.slack {
            limit = min(settings.maxConsecutive, limit + max(1, limit / 4))
            sensitivity = min(1, sensitivity * 1.1)
        }
    }
}
