import Compute
import Tensors

/// The samples of anchor frames that a UNet is to attend to: tensors anchor.0, anchor.1, ... shaped like `sample`.
struct AnchorSamples {
    /// In the networks' layout.
    private var samples: [[Float]] = []
    private var own: [Float] = []

    /// No anchor frames.
    init() {}

    /// Throws for anchor frames of another shape than the sample, and for more than there may be.
    init(_ store: TensorStore) throws(ModelError) {
        guard let sample = store["sample"], sample.shape.count == 4 else { return }
        func numbers(_ tensor: StoredTensor) -> [Float] {
            let s = tensor.shape
            return transposedRows(tensor.floats(), batch: s[0], rows: s[1], columns: s[2] * s[3])
        }
        while let anchor = store["anchor.\(samples.count)"] {
            guard anchor.shape == sample.shape else {
                throw ModelError(
                    "\(store.origin): anchor.\(samples.count) has the shape \(anchor.shape), it should be that of "
                        + "sample, \(sample.shape)")
            }
            guard samples.count < AnchorBank.mostSlots else {
                throw ModelError(
                    "\(store.origin): there are more than \(AnchorBank.mostSlots) anchor frames; leave anchor."
                        + "\(samples.count) and those after it")
            }
            samples.append(numbers(anchor))
        }
        if !samples.isEmpty { own = numbers(sample) }
    }

    var count: Int { samples.count }

    /// Leaves the keys and values of each anchor frame, which attends to itself alone, in a slot of its own; then all
    /// count fully, and the input `sample` is what it was.
    func fill(_ plan: Plan) {
        guard count > 0 else { return }
        for (slot, sample) in samples.enumerated() {
            _ = plan.input("sample").update(from: sample)
            plan.anchors.keeping = slot
            plan.run()
        }
        plan.anchors.keeping = nil
        for slot in 0..<count { plan.anchors[slot] = 1 }
        _ = plan.input("sample").update(from: own)
    }
}
