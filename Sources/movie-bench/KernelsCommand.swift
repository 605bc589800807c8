import ArgumentParser
import CKernels
import Foundation
import Service

/// What the processor can do at most.
enum IntegerPeak {
    /// Integer operations a second of one thread (a multiply-add is two), measured on registers alone; the best of many.
    static func measure() -> Double {
        var best = 0.0
        for _ in 0..<20 {
            let rounds = 100_000
            let seconds = Measure.milliseconds { movie_peak_u8s8(rounds) } * 1e-3
            best = max(best, Double(movie_peak_operations_u8s8(rounds)) / seconds)
        }
        return best
    }
}

struct KernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Times the integer convolution on the networks' shapes, one thread.")

    @Option(help: "Times each shape is run.")
    var runs = 15

    @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
    var json: String?

    /// Shapes of nano and of the paper's networks at 512 x 384: kernel, height, width, inputs, outputs.
    private static let shapes = [
        (3, 192, 256, 16, 16), (3, 96, 128, 32, 32), (3, 48, 64, 64, 64), (3, 48, 64, 48, 48), (3, 24, 32, 64, 64),
        (3, 12, 16, 96, 96), (1, 24, 32, 64, 512), (3, 48, 64, 320, 320), (3, 48, 64, 640, 320),
        (3, 24, 32, 640, 640), (3, 24, 32, 1280, 640), (3, 12, 16, 1280, 1280), (3, 6, 8, 1280, 1280),
        (3, 6, 8, 2560, 1280), (1, 24, 32, 640, 5120), (1, 24, 32, 2560, 640), (3, 384, 512, 64, 64),
        (3, 192, 256, 64, 64), (3, 96, 128, 64, 64),
    ]

    private struct Row: Encodable {
        let kernel: Int, height: Int, width: Int, inputs: Int, outputs: Int
        let milliseconds: Double, share: Double
    }

    func run() throws {
        guard (1...1000).contains(runs) else { throw ValidationError("--runs is \(runs); it must be from 1 to 1000") }
        let peak = IntegerPeak.measure()
        print("\(String(cString: movie_isa_name(movie_isa_current()))): peak \((peak / 1e9).text(0)) GOP/s a thread")
        var table = TextTable(["convolution", "ms", "GOP/s", "of the peak"]), rows: [Row] = []
        for (kernel, height, width, inputs, outputs) in Self.shapes {
            let bench = KernelBench(kernel: kernel, height: height, width: width, inputs: inputs, outputs: outputs)
            let milliseconds = Measure.median((0..<runs).map { _ in Measure.milliseconds { bench.run() } })
            let rate = Double(2 * height * width * kernel * kernel * inputs * outputs) / (milliseconds * 1e-3)
            table.add([
                "\(kernel)x\(kernel) \(width)x\(height) \(inputs)->\(outputs)", milliseconds.text(3),
                (rate / 1e9).text(0), "\((100 * rate / peak).text(0)) %",
            ])
            rows.append(
                Row(
                    kernel: kernel, height: height, width: width, inputs: inputs, outputs: outputs,
                    milliseconds: milliseconds, share: rate / peak))
        }
        table.lines().forEach { print($0) }
        if let json { try JSONEncoder().encode(rows).write(to: URL(fileURLWithPath: json)) }
    }
}
