/// Which frame the others of a video attend to, so that they belong together (MoViE, section 3.1).
public enum AnchorMode: String, CaseIterable, Sendable {
    /// Each frame is edited by itself.
    case none
    /// The first frame of each scene, renewed from time to time: for live video.
    case rolling
    /// The middle frame of a file, as in the paper.
    case middle

    /// Frames that a plan needs memory for: a rolling anchor is faded into the next.
    var slots: Int {
        switch self {
        case .none: 0
        case .middle: 1
        case .rolling: 2
        }
    }
}
