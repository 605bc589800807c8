import CKernels
import Compute
import Frames
import Motion
import TestSupport
import Testing

/// Motion where it is asked for, and nowhere else.
@Suite struct SourceMotionTests {
    private static let size = FrameSize(width: 192, height: 128)

    private func read(_ picture: TestPicture, _ motion: SourceMotion) {
        let view = picture.view
        motion.read(view.base.assumingMemoryBound(to: UInt8.self), stride: view.stride)
    }

    @Test(arguments: [(2.0, 0.0), (-3.5, 2.5), (9.0, -6.0)])
    func searchesWhereAsked(_ dx: Double, _ dy: Double) throws {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let motion = try #require(SourceMotion(width: Self.size.width, height: Self.size.height, pool: pool))
        read(moved(Self.size, 0, 0), motion)
        read(moved(Self.size, dx, dy), motion)
        let columns = Self.size.width / SourceMotion.cell, rows = Self.size.height / SourceMotion.cell
        var wanted = [UInt8](repeating: 0, count: columns * rows)
        for row in 0..<rows { for column in columns / 2..<columns { wanted[row * columns + column] = 1 } }
        motion.search(wanted, columns: columns, rows: rows, noise: 1)
        let vectors = motion.vectors.pointee
        for row in 6..<vectors.rows - 6 {
            for column in 0..<vectors.columns - 6 {
                let u = Double(vectors.u[row * vectors.columns + column]) * 2
                let v = Double(vectors.v[row * vectors.columns + column]) * 2
                if column < vectors.columns / 2 - 2 {
                    #expect(u == 0 && v == 0, "a patch that nobody asked for moves by \(u), \(v)")
                } else if column > vectors.columns / 2 + 4 {
                    #expect(abs(u - dx) < 0.5 && abs(v - dy) < 0.5, "\(u), \(v) at \(column), \(row)")
                }
            }
        }
    }

    @Test func tinyPicturesHaveNone() {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutdown() }
        #expect(SourceMotion(width: 20, height: 64, pool: pool) == nil)
    }
}
