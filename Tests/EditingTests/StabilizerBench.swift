import Compute
import TestSupport

@testable import Editing

/// Sources, edits and the stabilizer between them, as a session has it.
final class StabilizerBench {
    static let width = 128
    static let height = 96
    static let count = width * height * 3
    let source: UnsafeMutablePointer<UInt8>
    let edited: UnsafeMutablePointer<UInt8>
    let stabilizer: Stabilizer
    private let cells: CellGrid
    private let pool: WorkerPool
    private var random = TestRandom(seed: 9)

    /// `carries`: whether what moves is carried along.
    init(strength: Double, carries: Bool = true, threads: Int = 2) {
        pool = WorkerPool(threads: threads)
        source = .allocate(capacity: Self.count)
        edited = .allocate(capacity: Self.count)
        source.initialize(repeating: 0, count: Self.count)
        edited.initialize(repeating: 0, count: Self.count)
        cells = CellGrid(source, width: Self.width, height: Self.height, stride: Self.width * 3, pool: pool)
        let moved = MovedCells(
            source, stride: Self.width * 3, width: Self.width, height: Self.height, cells: cells, pool: pool)
        stabilizer = Stabilizer(
            cells: cells, moved: carries ? moved : nil, edited: edited, height: Self.height, stride: Self.width * 3,
            strength: strength, pool: pool)
    }

    deinit {
        pool.shutdown()
        source.deallocate()
        edited.deallocate()
    }

    /// A frame: a wall of brightness 120 with noise of `noise` levels, a hand of 200 whose left edge is at `hand`; the
    /// edit is the negative, and flickers as much as `flicker`. Returns the output.
    func frame(hand: Int? = nil, noise: Float, flicker: Float) -> [UInt8] {
        frame(noise: noise, flicker: flicker) { x, y in
            let isHand = hand.map { (0..<24).contains(x - $0) && (32..<64).contains(y) } ?? false
            return isHand ? 200 : 120
        }
    }

    /// A frame of the brightness `clean` gives for each place.
    func frame(noise: Float, flicker: Float, clean: (Int, Int) -> Float) -> [UInt8] {
        let a = random.numbers(Self.count), b = random.numbers(Self.count)
        for index in 0..<Self.count {
            let level = clean(index / 3 % Self.width, index / 3 / Self.width)
            source[index] = UInt8(min(255, max(0, level + noise * a[index])))
            edited[index] = UInt8(min(255, max(0, 255 - level + flicker * b[index])))
        }
        return run()
    }

    /// The output for what is in `source` and `edited`.
    func run() -> [UInt8] {
        cells.read()
        stabilizer.look()
        stabilizer.run()
        return Array(UnsafeBufferPointer(start: stabilizer.output, count: Self.count))
    }

    /// What the edit alone is.
    var edit: [UInt8] { Array(UnsafeBufferPointer(start: edited, count: Self.count)) }
}
