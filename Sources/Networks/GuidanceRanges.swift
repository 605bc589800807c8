/// The guidance scales a model accepts and its defaults.
///
/// The keys `guidance_scale_range`, `guidance_scale_default` and their `image_` twins in `unet/config.json`; without them
/// the ranges of InstructPix2Pix: 1 to 30 and 1 to 5, defaults 7.5 and 1.5.
public struct GuidanceRanges: Sendable {
    /// Allowed text guidance (s_T).
    public let guidanceScale: ClosedRange<Double>
    /// Text guidance when none is given.
    public let defaultGuidanceScale: Double
    /// Allowed image guidance (s_I).
    public let imageGuidanceScale: ClosedRange<Double>
    /// Image guidance when none is given.
    public let defaultImageGuidanceScale: Double

    init(_ file: Configuration) throws(ModelError) {
        guidanceScale = try Self.range(file, "guidance_scale_range", default: 1...30)
        imageGuidanceScale = try Self.range(file, "image_guidance_scale_range", default: 1...5)
        defaultGuidanceScale = try Self.scale(file, "guidance_scale_default", default: 7.5, in: guidanceScale)
        defaultImageGuidanceScale = try Self.scale(
            file, "image_guidance_scale_default", default: 1.5, in: imageGuidanceScale)
    }

    /// A default must be given where the usual one is outside the range.
    private static func scale(
        _ file: Configuration, _ key: String, default fallback: Double, in range: ClosedRange<Double>
    ) throws(ModelError) -> Double {
        try file.double(key, default: range.contains(fallback) ? fallback : nil, in: range)
    }

    private static func range(
        _ file: Configuration, _ key: String, default fallback: ClosedRange<Double>
    ) throws(ModelError) -> ClosedRange<Double> {
        guard file.has(key) else { return fallback }
        let ends = try file.doubles(key)
        guard ends.count == 2, ends[0] < ends[1], ends.allSatisfy(\.isFinite) else {
            throw file.error(key, "a list of two numbers, the lower first")
        }
        return ends[0]...ends[1]
    }
}
