/// When a rolling anchor is renewed, and how one fades into the next. Pure logic: it is told the time.
///
/// Two slots take turns. At a cut, or when prompt or guidance change, the old anchor no longer belongs to the picture: it
/// is dropped at once, and the new anchor attends to itself alone. An anchor that is merely old, or from which the camera
/// has drifted away, is faded into its successor, which was edited attending to it: the weights always sum to 1.
public struct AnchorPolicy: Sendable {
    /// Why a frame became the anchor.
    public enum Reason: String, Sendable { case first, cut, edit, drift, age }

    /// What the next frame does.
    public struct Decision: Equatable, Sendable {
        /// Weights of the two slots that the frame attends to.
        public var weights: (Float, Float) { (first, second) }
        var first: Float = 0
        var second: Float = 0
        /// The slot in which it leaves its keys and values.
        public var keeps: Int?
        /// Why it becomes the anchor; nil where it does not.
        public var reason: Reason?
    }

    /// What a frame shows beside the anchor and the frame before it.
    public enum Scene: Sendable {
        /// The same scene as the anchor.
        case same
        /// Another picture than the anchor's, reached little by little.
        case drifted
        /// Another picture than the last frame's.
        case cut
    }

    /// Seconds after which an anchor is renewed whatever happens.
    public let maximumAge: Double
    /// Seconds of a fade.
    public static let fade = 0.5
    /// A fade takes at least so many frames.
    public static let fadeFrames = 5
    /// Seconds that a drifting picture leaves an anchor at least.
    public static let leastAge = 1.0

    private var isFirst = true
    private var current = 0
    /// How much of the current anchor is to be seen already; the other slot has the rest.
    private var progress: Double = 1
    private var born = 0.0
    private var last = 0.0

    /// A policy without an anchor yet.
    public init(maximumAge: Double) { self.maximumAge = maximumAge }

    /// Seconds since the anchor was taken.
    public func age(at time: Double) -> Double { time - born }

    /// Decides about the next frame.
    ///
    /// - Parameters:
    ///   - time: the frame's time in seconds; one that goes back by more than a second is another place of the video.
    ///   - hasNewEdit: whether prompt or guidance have changed since the last frame.
    public mutating func next(at time: Double, scene: Scene, hasNewEdit: Bool = false) -> Decision {
        defer { last = time }
        if isFirst { return restart(at: time, .first) }
        if hasNewEdit { return restart(at: time, .edit) }
        if scene == .cut || time < last - 1 { return restart(at: time, .cut) }
        if progress < 1 {
            progress = min(1, progress + min(1 / Double(Self.fadeFrames), max(0, time - last) / Self.fade))
        } else if scene == .drifted, age(at: time) >= Self.leastAge {
            return renew(at: time, .drift)
        } else if age(at: time) >= maximumAge {
            return renew(at: time, .age)
        }
        return weights(keeps: nil, nil)
    }

    /// The frame attends to itself alone and becomes the anchor at once.
    private mutating func restart(at time: Double, _ reason: Reason) -> Decision {
        isFirst = false
        progress = 1
        born = time
        return Decision(keeps: current, reason: reason)
    }

    /// The frame attends to the old anchor, which fades away from the next frame on.
    private mutating func renew(at time: Double, _ reason: Reason) -> Decision {
        current = 1 - current
        progress = 0
        born = time
        return weights(keeps: current, reason)
    }

    private func weights(keeps: Int?, _ reason: Reason?) -> Decision {
        let new = Float(progress), old = 1 - new
        return Decision(
            first: current == 0 ? new : old, second: current == 0 ? old : new, keeps: keeps, reason: reason)
    }
}
