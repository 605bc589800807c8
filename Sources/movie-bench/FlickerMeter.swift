/// The flicker of edited frames: by how much consecutive outputs differ beyond what the sources do, both compensated for
/// motion.
///
/// flicker = mean over frames and pixels of max(0, |O_t - W O_t-1| - |S_t - W S_t-1|), in levels of brightness of 255; W moves
/// a picture's blocks by the motion from source to source.
struct FlickerMeter {
    /// What two consecutive sources say.
    struct Step {
        let motion: BlockMotion
        /// |S_t - W S_t-1|.
        let residue: [UInt8]
        /// Pixels whose source changed much without compensation: something moves there.
        let moving: [Bool]

        init(from last: Luma, to next: Luma) {
            motion = BlockMotion(from: last, to: next)
            residue = absoluteDifference(next, motion.warp(last))
            moving = absoluteDifference(next, last).map { $0 > 30 }
        }

        var change: Double { Double(residue.reduce(0) { $0 + Int($1) }) / Double(residue.count) }
    }

    private var last: Luma?
    private var flickers = 0.0
    private var changes = 0.0
    private var steps = 0
    private var gradients = 0.0
    private var frames = 0
    private var followed = 0.0
    private var possible = 0.0

    /// Flicker, in levels.
    var flicker: Double { flickers / Double(max(1, steps)) }
    /// Mean of |O_t - W O_t-1|, in levels.
    var change: Double { changes / Double(max(1, steps)) }
    /// Mean of squared differences of neighbouring pixels.
    var sharpness: Double { gradients / Double(max(1, frames)) }
    /// How much of the last output is seen where something moves: 0 for none, 1 for all of it.
    var ghost: Double { possible > 0 ? followed / possible : 0 }

    /// Takes the next output. `plain`: what the same edit makes without a stabilizer, to find the last output in it.
    mutating func add(_ output: Luma, _ step: Step?, plain: Luma? = nil) {
        if let last, let step {
            let differences = absoluteDifference(output, step.motion.warp(last))
            var beyond = 0, all = 0
            for (index, difference) in differences.enumerated() {
                all += Int(difference)
                beyond += max(0, Int(difference) - Int(step.residue[index]))
            }
            flickers += Double(beyond) / Double(differences.count)
            changes += Double(all) / Double(differences.count)
            steps += 1
            if let plain { follow(output, last, plain, step.moving) }
        }
        gradients += gradientEnergy(output)
        frames += 1
        last = output
    }

    private mutating func follow(_ output: Luma, _ last: Luma, _ plain: Luma, _ moving: [Bool]) {
        for index in moving.indices where moving[index] {
            let old = Double(last.values[index]) - Double(plain.values[index])
            followed += (Double(output.values[index]) - Double(plain.values[index])) * old
            possible += old * old
        }
    }
}

/// |a - b|, pixel by pixel.
func absoluteDifference(_ a: Luma, _ b: Luma) -> [UInt8] {
    zip(a.values, b.values).map { UInt8(abs(Int($0) - Int($1))) }
}

private func gradientEnergy(_ x: Luma) -> Double {
    var sum = 0
    x.values.withUnsafeBufferPointer { values in
        for y in 0..<x.height - 1 {
            for column in 0..<x.width - 1 {
                let at = y &* x.width &+ column, own = Int(values[at])
                let right = Int(values[at &+ 1]) &- own, below = Int(values[at &+ x.width]) &- own
                sum &+= right &* right &+ below &* below
            }
        }
    }
    return Double(sum) / Double(x.width * x.height)
}
