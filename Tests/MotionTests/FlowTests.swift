import Compute
import Frames
import Motion
import TestSupport
import Testing

/// Known motions are found again.
@Suite struct FlowTests {
    private static let size = FrameSize(width: 256, height: 192)

    /// Median and largest distance between what was found and what is true, in pixels, away from the edges.
    private func errors(
        size: FrameSize = FlowTests.size, _ now: TestPicture, _ before: TestPicture,
        truth: (Double, Double) -> (Double, Double)
    ) -> (median: Double, most: Double) {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let propagator = Propagator(size: size, editSize: size, pool: pool)
        propagator.advance(to: before.view)
        propagator.advance(to: now.view)
        let flow = propagator.flow
        var distances: [Double] = []
        for row in 0..<flow.rows {
            for column in 0..<flow.columns {
                let x = Double((column + 1) * flow.spacing), y = Double((row + 1) * flow.spacing)
                guard x > 32, y > 32, x < Double(size.width) - 32, y < Double(size.height) - 32 else { continue }
                let found = flow[column, row], right = truth(x, y)
                let dx = Double(found.dx) - right.0, dy = Double(found.dy) - right.1
                distances.append((dx * dx + dy * dy).squareRoot())
            }
        }
        distances.sort()
        return (distances[distances.count / 2], distances[distances.count - 1])
    }

    @Test(arguments: [(0.0, 0.0), (1.0, 0.0), (0.5, -0.25), (-3.3, 2.7), (14.0, -9.0), (-25.0, 18.0)])
    func translations(_ dx: Double, _ dy: Double) {
        let before = moved(Self.size, 0, 0), now = moved(Self.size, dx, dy)
        let error = errors(now, before) { _, _ in (dx, dy) }
        #expect(error.median < 0.1 && error.most < 0.6, "\(dx), \(dy): \(error)")
    }

    @Test func rotation() {
        let angle = 0.04, centre = (x: 128.0, y: 96.0)
        func turned(_ x: Double, _ y: Double) -> (Double, Double) {
            let u = x - centre.x, v = y - centre.y
            return (centre.x + u - angle * v, centre.y + v + angle * u)
        }
        let error = errors(scene(Self.size, at: turned), moved(Self.size, 0, 0)) { x, y in
            let place = turned(x, y)
            return (place.0 - x, place.1 - y)
        }
        #expect(error.median < 0.15, "\(error)")
        #expect(error.most < 1, "\(error)")
    }

    @Test func zoom() {
        let error = errors(
            scene(Self.size) { (128 + ($0 - 128) * 0.95, 96 + ($1 - 96) * 0.95) }, moved(Self.size, 0, 0)
        ) { x, y in ((128 - x) * 0.05, (96 - y) * 0.05) }
        #expect(error.median < 0.15, "\(error)")
        #expect(error.most < 1, "\(error)")
    }

    @Test func lightMayChange() {
        let now = changed(moved(Self.size, 2.5, 1.5)) { value, _, _, _ in UInt8(min(255, Int(value) * 4 / 5 + 25)) }
        let error = errors(now, moved(Self.size, 0, 0)) { _, _ in (2.5, 1.5) }
        #expect(error.median < 0.35, "\(error)")
    }

    @Test func noiseIsNotMotion() {
        let picture = moved(Self.size, 0, 0)
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let propagator = Propagator(size: Self.size, editSize: Self.size, pool: pool)
        for frame in 0..<6 { propagator.advance(to: noisy(picture, deviation: 3, seed: UInt64(frame)).view) }
        // Luma of three channels with independent noise: 3 * sqrt(0.299^2 + 0.587^2 + 0.114^2) = 2.0.
        #expect(abs(propagator.noiseLevel - 2) < 0.4, "\(propagator.noiseLevel)")
        let flow = propagator.flow
        let still = (0..<flow.rows * flow.columns).filter {
            let vector = flow[$0 % flow.columns, $0 / flow.columns]
            return vector.dx == 0 && vector.dy == 0
        }
        #expect(still.count > flow.rows * flow.columns * 9 / 10, "\(still.count) of \(flow.rows * flow.columns)")
    }

    @Test func previousPicturesAreMoved() {
        let before = moved(Self.size, 0, 0), now = moved(Self.size, -3.3, 2.7)
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let propagator = Propagator(size: Self.size, editSize: Self.size, pool: pool)
        propagator.advance(to: before.view)
        propagator.advance(to: now.view)
        let result = TestPicture(size: Self.size, extra: 5), edited = lines(before)
        propagator.warpPrevious(before.view, into: result.mutableView)
        #expect(psnr(result, now, margin: 8) > 38, "\(psnr(result, now, margin: 8))")
        #expect(result.isUntouchedOutside)
        propagator.warpPrevious(edited.view, into: result.mutableView)
        #expect(psnr(result, lines(now), margin: 8) > psnr(edited, lines(now), margin: 8) + 6)
    }
}
