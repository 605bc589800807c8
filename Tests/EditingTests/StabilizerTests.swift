import Testing

@testable import Editing

/// The stabilizer on pictures made here: a wall with a camera's noise, edits that flicker, and a hand that moves.
@Suite struct StabilizerTests {
    private typealias Bench = StabilizerBench

    private func difference(_ a: [UInt8], _ b: [UInt8]) -> Double {
        Double(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(a.count)
    }

    @Test(arguments: [0, 3, 8] as [Float]) func aStillWallFlickersLess(_ noise: Float) {
        var changes: [Double] = []
        for strength in [0, 0.25, 0.5, 1] {
            let bench = Bench(strength: strength)
            var last = bench.frame(noise: noise, flicker: 20), sum = 0.0
            for _ in 0..<12 {
                let next = bench.frame(noise: noise, flicker: 20)
                sum += difference(next, last)
                last = next
            }
            changes.append(sum)
        }
        #expect(changes[1] < 0.8 * changes[0], "\(changes)")
        #expect(changes[2] < 0.55 * changes[0] && changes[3] < 0.5 * changes[2], "\(changes)")
    }

    /// Behind a moving hand the wall is at once what it was edited to, and the hand is where it is, whatever its speed. Where
    /// it is carried, its edges may be off by a fraction of a pixel.
    @Test(arguments: [1, 2, 5, 24], [false, true]) func noGhostStaysBehindAHand(_ speed: Int, _ carries: Bool) {
        let bench = Bench(strength: 1, carries: carries)
        for frame in 0..<20 {
            let hand = 10 + frame * speed % 80
            let output = bench.frame(hand: hand, noise: 4, flicker: 0), edit = bench.edit
            var inside = 0, atEdges = 0
            for y in 0..<Bench.height {
                for x in 0..<Bench.width {
                    let at = 3 * (y * Bench.width + x), difference = abs(Int(output[at]) - Int(edit[at]))
                    let across = min(abs(x - hand), abs(x - hand - 23)), down = min(abs(y - 32), abs(y - 63))
                    let isEdge = (across <= 2 && (30..<66).contains(y)) || (down <= 2 && (-2..<26).contains(x - hand))
                    if isEdge { atEdges = max(atEdges, difference) } else { inside = max(inside, difference) }
                }
            }
            #expect(inside <= (carries ? 8 : 2), "frame \(frame): off by \(inside) levels of 80")
            #expect(atEdges <= (carries ? 16 : 2), "frame \(frame): edges are off by \(atEdges) levels of 80")
        }
    }

    /// Light that changes slowly is followed: what adds up counts, however small each step.
    @Test func slowChangesAreFollowed() {
        let bench = Bench(strength: 1)
        for level in 0..<40 {
            for index in 0..<Bench.count {
                bench.source[index] = UInt8(100 + level)
                bench.edited[index] = UInt8(200 - 2 * level)
            }
            let last = bench.run()
            let lag = abs(Int(last[0]) - (200 - 2 * level))
            #expect(lag <= 6, "\(lag) levels behind, which is three frames")
        }
    }

    @Test func offAndResetGiveTheEditItself() {
        let off = Bench(strength: 0)
        for _ in 0..<3 {
            let output = off.frame(noise: 3, flicker: 20)
            #expect(output == Array(UnsafeBufferPointer(start: off.edited, count: Bench.count)))
        }
        let bench = Bench(strength: 1)
        _ = bench.frame(noise: 3, flicker: 20)
        bench.stabilizer.reset()
        let output = bench.frame(noise: 3, flicker: 20)
        #expect(output == Array(UnsafeBufferPointer(start: bench.edited, count: Bench.count)))
    }

    /// The noise of 12 x 12 pixels' mean brightness, from a camera's of 6 levels a channel; a frame full of movement does not
    /// pass for noise.
    @Test func noiseIsEstimated() {
        let bench = Bench(strength: 0.5)
        for _ in 0..<40 { _ = bench.frame(noise: 6, flicker: 0) }
        #expect((0.12...0.6).contains(bench.stabilizer.noise), "\(bench.stabilizer.noise)")
        for frame in 0..<100 { _ = bench.frame(hand: frame * 7 % 100, noise: 6, flicker: 0) }
        #expect(bench.stabilizer.noise <= Stabilizer.noiseBounds.upperBound / 2)
    }
}
