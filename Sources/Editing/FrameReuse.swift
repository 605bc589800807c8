import Compute
import Frames

/// What a session needs to compute only the changed parts of a frame: detector, policy and the measured difference.
///
/// `begin` says how the plan is to be run, `end` takes in what it did. Allocates nothing in between.
final class FrameReuse {
    /// How the last frame was computed.
    private(set) var work = EditWork()
    /// What was measured and decided.
    private(set) var policy: ReusePolicy

    private let plan: Plan
    private let mask: ChangeMask
    private let pool: WorkerPool
    private let detector: ChangeDetector
    private let computed: UnsafeMutableBufferPointer<UInt8>
    private let fade: RenewalFade
    private let rowErrors: UnsafeMutablePointer<Int>
    private let width: Int
    private let height: Int
    private var decision = ReusePolicy.Decision.full
    private var operationsBefore = 0
    private var isStale = false
    private var hasLooked = false

    /// nil where the plan keeps nothing or the frame's size does not fit the detector's cells.
    init?(plan: Plan, settings: ReuseSettings, width: Int, height: Int, pool: WorkerPool) {
        guard let mask = plan.mask, let detector = ChangeDetector(width: width, height: height, pool: pool),
            detector.columns == mask.columns, detector.rows == mask.rows
        else { return nil }
        self.plan = plan
        self.mask = mask
        self.pool = pool
        self.detector = detector
        self.width = width
        self.height = height
        policy = ReusePolicy(settings)
        computed = .allocate(capacity: mask.cells.count)
        computed.initialize(repeating: 0)
        fade = RenewalFade(width: width, height: height, columns: mask.columns, rows: mask.rows, pool: pool)
        rowErrors = .allocate(capacity: height)
        rowErrors.initialize(repeating: 0, count: height)
    }

    deinit {
        computed.deallocate()
        rowErrors.deallocate()
    }

    /// Looks at the frame that the plan's input holds. Returns whether the plan is to be run partially.
    func begin(mayReuse: Bool) -> Bool {
        operationsBefore = plan.executedOperations
        decision = .full
        hasLooked = false
        guard let pixels = UnsafePointer(plan.pixels(ofInput: "pixels").baseAddress), !policy.rests() else {
            return false
        }
        hasLooked = true
        detector.sensitivity = policy.sensitivity
        detector.compare(pixels, marks: mask.cells)
        var computed = 1.0
        if detector.changed <= ReusePolicy.mostChanged {
            mask.apply()
            computed = mask.computedShare
        }
        decision = policy.decide(
            canReuse: mayReuse && plan.holdsActivations && !isStale, changed: detector.changed, computed: computed,
            hasLightChanged: detector.hasLightChanged)
        if decision == .measured {
            for index in plan.stages.indices { plan.run(plan.stages[index], isPartial: true) }
            if let edited = plan.pixels(ofOutput: "edited").baseAddress {
                fade.old.update(from: edited, count: 3 * width * height)
            }
        }
        return decision == .partial
    }

    /// The plan was run for something else: the next frame is computed in full.
    func forget() { isStale = true }

    /// The plan has been run as `begin` said. Returns the pixels to show instead of its output, if any.
    func end() -> UnsafePointer<UInt8>? {
        isStale = !hasLooked
        switch decision {
        case .partial:
            mask.copyComputed(to: computed)
            detector.accept(computed)
            fade.refresh(computed)
        case .measured:
            detector.acceptAll()
            policy.measured(psnr: difference())
            fade.begin()
        case .full:
            if hasLooked { detector.acceptAll() }
            fade.cancel()
        }
        work.isReused = decision == .partial
        work.operations = plan.executedOperations - operationsBefore
        work.changed = detector.changed
        return UnsafePointer(plan.pixels(ofOutput: "edited").baseAddress).flatMap { fade.show($0) }
    }

    /// PSNR in dB of the reused picture against the full one; at most 99.
    private func difference() -> Double {
        pool.parallelFor(height, compareRow)
        var sum = 0
        for row in 0..<height { sum += rowErrors[row] }
        return StoredFrame.psnr(squaredError: Double(sum), count: 3 * width * height)
    }

    // Made once, since making a closure allocates.
    private lazy var compareRow: WorkerPool.Body = { [unowned self, edited = plan.pixels(ofOutput: "edited")] row, _ in
        guard let edited = edited.baseAddress else { return }
        let kept = fade.old + row * 3 * width, now = edited + row * 3 * width
        var sum = 0
        for index in 0..<3 * width {
            let difference = Int32(kept[index]) &- Int32(now[index])
            sum &+= Int(difference &* difference)
        }
        rowErrors[row] = sum
    }
}
