import Glibc
import Testing

@testable import Editing

/// What moves is carried along by the stabilizer: a patterned box before a plain or patterned wall.
@Suite struct MovedCellsTests {
    private typealias Bench = StabilizerBench
    private static let box = (width: 56, top: 24, bottom: 72)

    /// A pattern that can be found again, fine and coarse, of brightness 40 to 220.
    private static func pattern(_ x: Float, _ y: Float) -> Float {
        130 + 40 * sinf(0.17 * x + 0.11 * y) + 25 * sinf(0.31 * y - 0.45 * x + 1) + 25 * sinf(0.8 * x + 0.5 * y)
    }

    /// The brightness of a place, the box's left edge at `left`.
    private static func scene(_ left: Float) -> (Int, Int) -> Float {
        { x, y in
            let inside = (left..<left + Float(box.width)).contains(Float(x)) && (box.top..<box.bottom).contains(y)
            return inside ? pattern(Float(x) - left, Float(y)) : 90
        }
    }

    /// Runs `frames` in which the box moves by `speed` pixels, and shows each output with the box's left edge.
    private func play(
        _ bench: Bench, speed: Float, frames: Int = 12, noise: Float = 4, flicker: Float,
        _ look: (_ output: [UInt8], _ left: Float) -> Void
    ) {
        for frame in 0..<frames {
            let left = 8 + speed * Float(frame)
            let output = bench.frame(noise: noise, flicker: flicker, clean: Self.scene(left))
            if frame > 2 { look(output, left) }
        }
    }

    /// Mean change of the box's inside from output to output, moved along with it.
    private func flicker(speed: Int, carries: Bool) -> Double {
        let bench = Bench(strength: 0.5, carries: carries)
        var last: [UInt8]?, sum = 0, count = 0
        play(bench, speed: Float(speed), flicker: 20) { output, left in
            for y in Self.box.top + 12..<Self.box.bottom - 12 {
                for x in Int(left) + 12..<Int(left) + Self.box.width - 12 {
                    guard let last else { break }
                    sum += abs(Int(output[3 * (y * Bench.width + x)]) - Int(last[3 * (y * Bench.width + x - speed)]))
                    count += 1
                }
            }
            last = output
        }
        return Double(sum) / Double(count)
    }

    @Test(arguments: [1, 2, 4]) func whatMovesFlickersLess(_ speed: Int) {
        let alone = flicker(speed: speed, carries: false), carried = flicker(speed: speed, carries: true)
        #expect(carried < 0.65 * alone, "\(carried) levels, \(alone) where nothing is carried")
    }

    /// Gradients of the edit in the box: what is moved again and again by parts of a pixel keeps its lines.
    @Test(arguments: [0.5, 1], [0.6, 1.3, 3.4] as [Float])
    func aMovingPatternStaysSharp(_ strength: Double, _ speed: Float) {
        let bench = Bench(strength: strength)
        var energies = (edit: 0, output: 0)
        func energy(_ picture: [UInt8], _ left: Int) -> Int {
            var sum = 0
            for y in Self.box.top + 8..<Self.box.bottom - 8 {
                for x in left + 8..<left + Self.box.width - 8 {
                    let at = 3 * (y * Bench.width + x)
                    let across = Int(picture[at + 3]) - Int(picture[at])
                    let down = Int(picture[at + 3 * Bench.width]) - Int(picture[at])
                    sum += across * across + down * down
                }
            }
            return sum
        }
        play(bench, speed: speed, noise: 3, flicker: 0) { output, left in
            energies.edit += energy(bench.edit, Int(left))
            energies.output += energy(output, Int(left))
        }
        let ratio = Double(energies.output) / Double(energies.edit)
        #expect((0.95...1.07).contains(ratio), "\(ratio) of the edit's sharpness")
    }

    /// The wall that a box uncovers is at once what it was edited to, and so is the wall beside it.
    @Test(arguments: [1, 2, 3, 7] as [Float]) func noGhostStaysBehindABox(_ speed: Float) {
        let bench = Bench(strength: 1)
        play(bench, speed: speed, flicker: 0) { output, left in
            let edit = bench.edit
            var worst = 0
            for y in 0..<Bench.height {
                for x in 0..<Bench.width where Float(x) < left - 1 || Float(x) > left + Float(Self.box.width) + 1 {
                    let at = 3 * (y * Bench.width + x)
                    worst = max(worst, abs(Int(output[at]) - Int(edit[at])))
                }
            }
            #expect(worst <= 4, "the wall is off by \(worst) levels")
        }
    }

    /// Too small for an average of 12 x 12 pixels, and faster than its own size.
    @Test func aSmallThingLeavesNoTrace() {
        let bench = Bench(strength: 1)
        for frame in 0..<12 {
            let left = 8 + 7 * frame
            let output = bench.frame(noise: 3, flicker: 0) { x, y in
                (left..<left + 4).contains(x) && (46..<50).contains(y) ? 220 : 90
            }
            let worst = zip(output, bench.edit).map { abs(Int($0) - Int($1)) }.max() ?? 255
            #expect(worst <= 2, "frame \(frame): off by \(worst) levels")
        }
    }

    @Test(arguments: [0.25, 0.5, 1]) func aStillPictureIsReachedExactly(_ strength: Double) {
        let bench = Bench(strength: strength)
        for frame in 0..<6 { _ = bench.frame(noise: 4, flicker: 12, clean: Self.scene(8 + Float(frame))) }
        var output: [UInt8] = []
        for _ in 0..<80 { output = bench.run() }
        let isReached = output == bench.edit  // not in the macro, which would print both pictures
        #expect(isReached)
    }

    @Test func threadsChangeNothing() {
        let one = Bench(strength: 0.7, threads: 1), two = Bench(strength: 0.7, threads: 2)
        for frame in 0..<6 {
            let scene = Self.scene(8 + 2.3 * Float(frame))
            let first = one.frame(noise: 4, flicker: 12, clean: scene)
            #expect(two.frame(noise: 4, flicker: 12, clean: scene) == first, "frame \(frame)")
        }
    }
}
