import Compute
import Editing
import Foundation
import Frames
import Networks
import Testing

/// The weights in Models/nano do what their card says, by properties that a person would name in the picture.
@Suite struct BundledModelTests {
    private static let size = FrameSize(width: 160, height: 128)
    private static let model = Result {
        let package = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/").dropFirst()
        return try EditingModel(try ModelFolder(path: "\(package)/Models/nano"))
    }
    private static let pool = WorkerPool(threads: 2)

    /// A sky over a meadow with a red ball in it, softly shaded; RGB rows without padding.
    private static let source: [UInt8] = (0..<size.height).flatMap { row in
        (0..<size.width).flatMap { column -> [UInt8] in
            let x = Double(column - 90) / 34, y = Double(row - 66) / 34, distance = x * x + y * y
            if distance < 1 {
                let shade = 0.55 + 0.45 * (1 - distance).squareRoot()
                return [UInt8(230 * shade), UInt8(60 * shade), UInt8(50 * shade)]
            }
            let height = Double(row) / Double(size.height)
            return row < 70
                ? [UInt8(120 + 60 * height), UInt8(170 + 40 * height), 235]
                : [UInt8(60 + 40 * height), UInt8(120 + 60 * height), 50]
        }
    }

    private func edit(_ prompt: String, guidanceScale: Double? = nil) throws -> Picture {
        let settings = EditSettings(prompt: prompt, guidanceScale: guidanceScale)
        let session = try EditSession(model: try Self.model.get(), settings: settings, pool: Self.pool)
        try session.prepare(size: Self.size)
        var output = [UInt8](repeating: 0, count: Self.source.count)
        try Self.source.withUnsafeBytes { input in
            try output.withUnsafeMutableBytes { bytes in
                guard let from = input.baseAddress, let to = bytes.baseAddress else { return }
                let stride = Self.size.width * 3
                try session.edit(
                    FrameView(base: from, size: Self.size, stride: stride),
                    into: MutableFrameView(base: to, size: Self.size, stride: stride))
            }
        }
        return Picture(bytes: output)
    }

    private let original = Picture(bytes: source)

    @Test func leavesThePictureAsItIs() throws {
        #expect(try edit("leave it as it is").psnr(original) > 26)
    }

    @Test(arguments: ["make it film noir", "make it a pencil drawing", "remove the color"])
    func colourGoes(_ prompt: String) throws {
        #expect(try edit(prompt).colourfulness < 0.3 * original.colourfulness)
    }

    @Test func pencilLeavesWhitePaper() throws {
        #expect(try edit("make it a pencil drawing").mean > 180)
    }

    @Test func nightIsDarkAndBlue() throws {
        let night = try edit("make it night")
        #expect(night.mean < 0.5 * original.mean)
        #expect(night.channels[2] > night.channels[0])
    }

    @Test func sepiaIsBrown() throws {
        let channels = try edit("make it a sepia photograph").channels
        #expect(channels[0] > channels[1] + 5 && channels[1] > channels[2] + 5)
    }

    @Test func autumnIsWarm() throws {
        let autumn = try edit("make it autumn").channels, before = original.channels
        #expect(autumn[0] - autumn[2] > before[0] - before[2] + 30)
    }

    @Test func neonIsDark() throws {
        #expect(try edit("add neon edges").mean < 0.6 * original.mean)
    }

    @Test(arguments: [
        "make it an ink cartoon", "make it a watercolor painting", "make it an oil painting",
        "make it a Van Gogh painting", "make it pop art", "make it a thermal image",
    ])
    func changesThePicture(_ prompt: String) throws {
        #expect(try edit(prompt).psnr(original) < 24)
    }

    @Test func guidanceRulesTheStrength() throws {
        let distances = try [2.0, 4.0, 7.5].map { try edit("make it night", guidanceScale: $0).psnr(original) }
        #expect(distances[0] > distances[1] && distances[1] > distances[2], "\(distances)")
    }
}

/// Figures of an RGB picture, in 8-bit levels.
private struct Picture {
    let bytes: [UInt8]

    var channels: [Double] {
        (0..<3).map { channel in
            var sum = 0
            for index in stride(from: channel, to: bytes.count, by: 3) { sum += Int(bytes[index]) }
            return Double(sum * 3) / Double(bytes.count)
        }
    }

    var mean: Double { channels.reduce(0, +) / 3 }

    /// Mean distance between a pixel's largest and smallest channel.
    var colourfulness: Double {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 3) {
            let pixel = bytes[index..<index + 3]
            sum += Int(pixel.max() ?? 0) - Int(pixel.min() ?? 0)
        }
        return Double(sum * 3) / Double(bytes.count)
    }

    func psnr(_ other: Picture) -> Double {
        var sum = 0
        for (a, b) in zip(bytes, other.bytes) { sum += (Int(a) - Int(b)) * (Int(a) - Int(b)) }
        return 10 * log10(255 * 255 * Double(bytes.count) / Double(max(1, sum)))
    }
}
