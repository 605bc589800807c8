/// What is shown where there is no edit to show.
public enum Fallback: String, Sendable, CaseIterable {
    /// The last edited frame; our own picture before the first edit, and a while after source or editor were lost.
    case hold
    /// Our own picture as soon as an edit is older than a second.
    case placeholder
    /// As `hold`, but the camera's picture where that would show our own, as long as the camera delivers.
    case passthrough
}

/// A frame that has been computed.
public struct FinishedFrame: Sendable, Equatable {
    /// Its number; grows from frame to frame.
    public var number: Int
    /// When it was captured.
    public var captured: Nanoseconds
    /// How it was computed.
    public var rung: Rung
    /// Whether it made its deadline.
    public var isInTime: Bool

    /// A finished frame.
    public init(number: Int, captured: Nanoseconds, rung: Rung, isInTime: Bool) {
        self.number = number
        self.captured = captured
        self.rung = rung
        self.isInTime = isInTime
    }
}

/// What the output must know of the input.
public struct InputState: Sendable, Equatable {
    /// Since when the source has gone; nil while it is there.
    public var lostSince: Nanoseconds?
    /// Since when every edit has failed; nil while they work.
    public var failingSince: Nanoseconds?
    /// When the last raw frame was captured; nil when there is none to show.
    public var rawCaptured: Nanoseconds?
    /// Why the last frame was not edited in time.
    public var reason = Reason.nothingNewer

    /// A source that is there and an editor that works.
    public init() {}
}

/// What a tick publishes.
public struct Publication: Sendable, Equatable {
    /// The picture to take: for `edited` to `held` the newest finished frame.
    public let rung: Rung
    /// From capture to publication; 0 for our own picture.
    public let age: Nanoseconds
    /// Why it is this.
    public let reason: Reason
    /// Whether the newest finished frame is shown for the first time.
    public let isNew: Bool
}

/// Chooses the picture of each tick: the newest finished frame, or what stands in for it. The only place that can choose
/// the camera's own picture, and only with the fallback `passthrough`.
public struct OutputSelector: Sendable {
    /// How long the last edit is held after source or editor were lost, before our own picture comes.
    public static let holding: Nanoseconds = .seconds(2)
    /// The age from which `placeholder` shows our own picture.
    public static let staleness: Nanoseconds = .seconds(1)

    private let fallback: Fallback
    private var shown: Int?

    /// A selector that has shown nothing.
    public init(fallback: Fallback) { self.fallback = fallback }

    /// Chooses. `newest` is the newest finished frame, nil before the first.
    public mutating func select(newest: FinishedFrame?, input: InputState, now: Nanoseconds) -> Publication {
        guard let newest, isShowable(newest, input, now) else { return standIn(newest, input, now) }
        let isNew = shown != newest.number
        shown = newest.number
        let age = max(0, now - newest.captured)
        if isNew {
            let reason: Reason = newest.isInTime ? .onTime : .late
            return Publication(rung: newest.rung, age: age, reason: reason, isNew: true)
        }
        return Publication(rung: .held, age: age, reason: absence(input) ?? input.reason, isNew: false)
    }

    private func isShowable(_ frame: FinishedFrame, _ input: InputState, _ now: Nanoseconds) -> Bool {
        if shown != frame.number { return true }
        if let since = input.lostSince, now - since > Self.holding { return false }
        if let since = input.failingSince, now - since > Self.holding { return false }
        return fallback != .placeholder || now - frame.captured <= Self.staleness
    }

    private func standIn(_ newest: FinishedFrame?, _ input: InputState, _ now: Nanoseconds) -> Publication {
        let reason = absence(input) ?? (newest == nil ? .beforeFirstEdit : input.reason)
        if fallback == .passthrough, input.lostSince == nil, let captured = input.rawCaptured {
            return Publication(rung: .passthrough, age: max(0, now - captured), reason: reason, isNew: false)
        }
        return Publication(rung: .placeholder, age: 0, reason: reason, isNew: false)
    }

    private func absence(_ input: InputState) -> Reason? {
        if input.lostSince != nil { return .sourceLost }
        return input.failingSince != nil ? .editFailed : nil
    }
}
