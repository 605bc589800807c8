/// Whether and how far a session may reuse what it computed for earlier frames.
public struct ReuseSettings: Sendable, Equatable {
    /// Whether it may at all.
    public var isOn: Bool
    /// The PSNR in dB that reused pictures keep to, against the full computation of the same frame.
    public var minPSNR: Double
    /// Frames that may be reused one after the other before one is computed in full.
    public var maxConsecutive: Int

    /// Off unless asked for: every frame is exact.
    public init(isOn: Bool = false, minPSNR: Double = 38, maxConsecutive: Int = 60) {
        self.isOn = isOn
        self.minPSNR = minPSNR
        self.maxConsecutive = maxConsecutive
    }

    /// PSNR that can be asked for, in dB.
    public static let psnrRange = 20.0...60.0
    /// Frames that can be asked for.
    public static let consecutiveRange = 1...1000

    /// Throws for numbers outside their ranges. `name` says what they are called where the person wrote them.
    public func check(_ name: String = "reuse") throws(EditError) {
        guard Self.psnrRange.contains(minPSNR) else {
            throw EditError(
                "\(name).min_psnr_db is \(minPSNR); it must be from \(Self.psnrRange.lowerBound) to "
                    + "\(Self.psnrRange.upperBound) dB, 38 by default")
        }
        guard Self.consecutiveRange.contains(maxConsecutive) else {
            throw EditError(
                "\(name).max_consecutive is \(maxConsecutive); it must be from \(Self.consecutiveRange.lowerBound) to "
                    + "\(Self.consecutiveRange.upperBound) frames, 60 by default")
        }
    }
}
