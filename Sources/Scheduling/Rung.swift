/// What is done for one frame: the rungs of the quality ladder, the best first.
public enum Rung: Int, CaseIterable, Comparable, Sendable, CustomStringConvertible {
    /// The full network on this frame.
    case edited
    /// What changed since the last frame on this frame, the rest of the last edit again.
    case reused
    /// The last edit carried onto this frame, without a network.
    case propagated
    /// The last edited frame again.
    case held
    /// A picture of our own.
    case placeholder
    /// The camera's picture as it is; only where the configuration asks for it.
    case passthrough

    /// Better rungs are smaller.
    public static func < (a: Rung, b: Rung) -> Bool { a.rawValue < b.rawValue }

    /// Its name, as reports and metrics show it.
    public var description: String {
        switch self {
        case .edited: "edited"
        case .reused: "reused"
        case .propagated: "propagated"
        case .held: "held"
        case .placeholder: "placeholder"
        case .passthrough: "passthrough"
        }
    }

    /// Whether it computes something for the frame, so that it has a cost and can be late.
    public var isComputed: Bool { self <= .propagated }
}

/// A set of rungs: those that a stream has, or those that make a deadline.
public struct RungSet: OptionSet, Sendable, Equatable {
    /// One bit a rung.
    public let rawValue: UInt8

    /// A set with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A set of one rung.
    public init(_ rung: Rung) { rawValue = 1 << UInt8(rung.rawValue) }

    /// What every stream has: the network, and the last edit again.
    public static let basic: RungSet = [RungSet(.edited), RungSet(.held)]

    /// Whether `rung` is in the set.
    public func contains(rung: Rung) -> Bool { contains(RungSet(rung)) }

    /// The best rung of the set that computes something; nil when there is none.
    var bestComputed: Rung? { best.flatMap { $0.isComputed ? $0 : nil } }

    /// The best rung of the set; nil when it is empty.
    public var best: Rung? { isEmpty ? nil : Rung(rawValue: rawValue.trailingZeroBitCount) }
}

/// Why a frame is on its rung.
public enum Reason: Int, CaseIterable, Sendable, CustomStringConvertible {
    /// It was finished before its deadline.
    case onTime
    /// Its cost is not known yet: it is tried.
    case learning
    /// It was finished after its deadline.
    case late
    /// No better rung was predicted to make the deadline.
    case predictedLate
    /// A better rung makes the deadline again, but not for long enough yet.
    case climbing
    /// The CPU budget is used up.
    case budget
    /// No newer edit has come since the last tick.
    case nothingNewer
    /// There has been no edit yet.
    case beforeFirstEdit
    /// The source has gone.
    case sourceLost
    /// Edits fail.
    case editFailed

    /// In words, as reports show it.
    public var description: String {
        switch self {
        case .onTime: "on time"
        case .learning: "cost unknown"
        case .late: "late"
        case .predictedLate: "predicted late"
        case .climbing: "waiting for lasting slack"
        case .budget: "CPU budget"
        case .nothingNewer: "nothing newer"
        case .beforeFirstEdit: "before the first edit"
        case .sourceLost: "source lost"
        case .editFailed: "edit failed"
        }
    }
}
