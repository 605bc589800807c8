import CKernels
import Synchronization
import Tensors

/// Weights of a convolution as the integer kernels read them, packed when the first plan needs them.
final class IntegerWeights: LoadableWeights, @unchecked Sendable {
    /// Which filter of the convolution.
    enum Form {
        case whole
        /// The 3x3 filter over a picture enlarged twice (nearest) is four 2x2 filters over the picture itself, one for
        /// each place in a square of four outputs: taps that meet the same position are added. 4 / 9 of the work.
        case phase(row: Int, column: Int)
    }

    /// Filter positions, row by row.
    let taps: Int
    /// Bytes of a position that a tap reads: the input channels, rounded up to 4.
    let depth: Int
    /// Channels of a panel: 16, 32, 48 or 64.
    let panelChannels: Int
    /// Panels; together at least the output channels.
    let panels: Int
    private let stored: StoredConvolution
    private let form: Form
    private let gate = Mutex<Void>(())
    private var storage: Storage?

    init(_ stored: StoredConvolution, _ form: Form) {
        self.stored = stored
        self.form = form
        switch form {
        case .whole: taps = stored.kernel * stored.kernel
        case .phase: taps = 4
        }
        depth = (stored.inputs + 3) / 4 * 4
        panelChannels = Self.panel(for: stored.outputs)
        panels = (stored.outputs + panelChannels - 1) / panelChannels
    }

    /// The width that wastes least: wide panels read the input less often, and work at a higher rate.
    static func panel(for outputs: Int) -> Int {
        let relativeCost = [16: 1.35, 32: 1.10, 48: 1.03, 64: 1.0]
        func cost(_ panel: Int) -> Double {
            Double((outputs + panel - 1) / panel * panel) * (relativeCost[panel] ?? 1)
        }
        return [64, 48, 32, 16].min { cost($0) < cost($1) } ?? 64
    }

    /// Room for all panels' channels.
    var paddedOutputs: Int { panels * panelChannels }
    /// [panel][tap][depth / 4][panelChannels][4].
    var packed: UnsafePointer<Int8> { UnsafePointer(storage.unsafelyUnwrapped.packed) }
    /// The sum of every output's weights.
    var sums: [Int32] { storage.unsafelyUnwrapped.sums }
    /// What one step of every output's weights is worth.
    var scales: [Float] { storage.unsafelyUnwrapped.scales }

    func load() {
        gate.withLock { _ in
            guard storage == nil else { return }
            storage = pack()
            stored.weight.discardPages()
        }
    }

    private func pack() -> Storage {
        let storage = Storage(bytes: paddedOutputs * taps * depth, outputs: paddedOutputs)
        switch form {
        case .whole where stored.weight.type == .int8:  // straight from the file, where taps lie innermost
            storage.scales = stored.scale?.floats() ?? []
            stored.weight.withBytes {
                pack($0, tapStep: 1, inputStep: taps, into: storage)
            }
        case .whole:
            let (weights, scales) = stored.integers()
            storage.scales = scales
            weights.withUnsafeBytes { pack($0, tapStep: stored.inputs, inputStep: 1, into: storage) }
        case .phase(let row, let column):
            let (weights, scales) = quantizeRows(phase(row, column), rows: stored.outputs)
            storage.scales = scales
            weights.withUnsafeBytes { pack($0, tapStep: stored.inputs, inputStep: 1, into: storage) }
        }
        return storage
    }

    private func pack(_ weights: UnsafeRawBufferPointer, tapStep: Int, inputStep: Int, into storage: Storage) {
        guard let base = weights.assumingMemoryBound(to: Int8.self).baseAddress else { return }
        var source = movie_s8_weights(
            weights: base, outputs: stored.outputs, taps: taps, inputs: stored.inputs,
            output_step: taps * stored.inputs, tap_step: tapStep, input_step: inputStep)
        storage.sums.withUnsafeMutableBufferPointer { sums in
            guard let sums = sums.baseAddress else { return }
            movie_pack_s8(storage.packed, sums, &source, depth, panelChannels)
        }
    }

    /// [out, 4, in]: the 3x3 filter's taps added where they meet the same position.
    private func phase(_ row: Int, _ column: Int) -> [Float] {
        let inputs = stored.inputs
        let filter = [Float](unsafeUninitializedCapacity: stored.weight.count) { buffer, count in
            if let base = buffer.baseAddress { stored.copyFloats(to: base) }
            count = stored.weight.count
        }
        var sums = [Float](repeating: 0, count: stored.outputs * 4 * inputs)
        for output in 0..<stored.outputs {
            for tap in 0..<9 {
                // Output 2y + row reads enlarged rows 2y + row - 1 ... 2y + row + 1, which are rows y - 1, y or y + 1.
                let y = (tap / 3 + 1 - row) / 2, x = (tap % 3 + 1 - column) / 2
                let to = (output * 4 + y * 2 + x) * inputs, from = (output * 9 + tap) * inputs
                for i in 0..<inputs { sums[to &+ i] += filter[from &+ i] }
            }
        }
        return sums
    }

    /// Memory of packed weights.
    private final class Storage {
        let packed: UnsafeMutablePointer<Int8>
        var sums: [Int32]
        var scales: [Float] = []

        init(bytes: Int, outputs: Int) {
            let raw = UnsafeMutableRawPointer.allocate(byteCount: max(64, bytes), alignment: 64)
            packed = raw.bindMemory(to: Int8.self, capacity: bytes)
            sums = Array(repeating: 0, count: outputs)
        }

        deinit { packed.deallocate() }
    }
}
