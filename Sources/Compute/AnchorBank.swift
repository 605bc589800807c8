import CKernels
import Glibc

/// What a plan's attentions see of anchor frames, and which slot the next frame fills (MoViE, section 3.1).
///
/// A slot holds the keys and values that every self-attention of the plan had for one frame. Attending to several frames is
/// softmax(Q [K_1; ...; K_t]^T / sqrt(d)) [V_1; ...; V_t]; a slot of weight w has log(w) added to its scores, so that one
/// slot can be faded into another, and a slot of weight 0 is skipped and costs nothing. The frame itself always takes part
/// with weight 1. Set between two runs, by the thread that runs the plan.
public final class AnchorBank {
    /// How many anchor frames there is memory for; 0 for a plan without anchors.
    public let slots: Int
    /// Bytes of all slots of all attentions.
    public let memory: Int
    /// The slot in which the next run leaves its keys and values; nil leaves all as they are. What the slot held is still
    /// seen by that run.
    public var keeping: Int? {
        didSet { if let slot = keeping, !(0..<slots).contains(slot) { keeping = nil } }
    }

    /// Slots a plan may have: one part less than the kernels take, since the frame itself is one.
    public static let mostSlots = Int(MOVIE_ATTENTION_PARTS) - 1

    /// Slots of positive weight, and log2 of their weights.
    private(set) var activeCount = 0
    private let active: UnsafeMutablePointer<Int>
    private let shifts: UnsafeMutablePointer<Float>
    private let weights: UnsafeMutablePointer<Float>

    init(slots: Int, memory: Int) {
        self.slots = slots
        self.memory = memory
        active = .allocate(capacity: slots + 1)
        active.initialize(repeating: 0, count: slots + 1)
        shifts = .allocate(capacity: slots + 1)
        shifts.initialize(repeating: 0, count: slots + 1)
        weights = .allocate(capacity: slots + 1)
        weights.initialize(repeating: 0, count: slots + 1)
    }

    deinit {
        active.deallocate()
        shifts.deallocate()
        weights.deallocate()
    }

    /// The weight of a slot's frame, brought into 0...1; 0 at first. A slot that does not exist has weight 0.
    public subscript(slot: Int) -> Float {
        get { (0..<slots).contains(slot) ? weights[slot] : 0 }
        set {
            guard (0..<slots).contains(slot) else { return }
            weights[slot] = newValue > 0 ? min(newValue, 1) : 0
            activeCount = 0
            for slot in 0..<slots where weights[slot] > 0 {
                active[activeCount] = slot
                shifts[activeCount] = log2f(weights[slot])
                activeCount += 1
            }
        }
    }

    /// The slot of the `index`th active one.
    func activeSlot(_ index: Int) -> Int { active[index] }
    /// log2 of its weight.
    func shift(_ index: Int) -> Float { shifts[index] }
}
