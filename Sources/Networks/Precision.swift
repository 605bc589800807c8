/// What a network computes with.
public enum Precision: String, Sendable, CaseIterable {
    /// 8-bit integers where the folder's `quantization.json` says so, floats elsewhere.
    case int8
    /// 32-bit floats everywhere; int8 weights are multiplied out.
    case float
}
