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
        try edit([Self.source], EditSettings(prompt: prompt, guidanceScale: guidanceScale))
    }

    /// The last frame of a video.
    private func edit(_ frames: [[UInt8]], _ settings: EditSettings) throws -> Picture {
        let session = try EditSession(model: try Self.model.get(), settings: settings, pool: Self.pool)
        try session.prepare(size: Self.size)
        var output = [UInt8](repeating: 0, count: Self.source.count)
        for frame in frames {
            try frame.withUnsafeBytes { input in
                try output.withUnsafeMutableBytes { bytes in
                    guard let from = input.baseAddress, let to = bytes.baseAddress else { return }
                    let stride = Self.size.width * 3
                    try session.edit(
                        FrameView(base: from, size: Self.size, stride: stride),
                        into: MutableFrameView(base: to, size: Self.size, stride: stride))
                }
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

    /// In half the light the same picture comes out, nearly: that is what this edit is for.
    @Test func cinematicTakesOutTheLightOfTheRoom() throws {
        let dim = Self.source.map { $0 / 2 }, settings = EditSettings(prompt: "make it cinematic")
        let bright = try edit([Self.source], settings), corrected = try edit([dim], settings)
        #expect(abs(corrected.mean - bright.mean) < 0.25 * (original.mean - Picture(bytes: dim).mean))
    }

    /// Something dark before the camera changes the light of all that is seen. With an anchor the rest of the picture stays.
    @Test func anAnchorKeepsTheLight() throws {
        let covered = Self.source.enumerated().map { index, byte in index / 3 % Self.size.width < 48 ? byte / 6 : byte }
        func change(_ anchor: AnchorMode) throws -> Double {
            var settings = EditSettings(prompt: "make it cinematic")
            settings.anchor = anchor
            let before = try edit([Self.source, Self.source], settings)
            let after = try edit([Self.source, Self.source, covered], settings)
            return abs(after.right(of: 64).mean - before.right(of: 64).mean)
        }
        let alone = try change(.none), anchored = try change(.rolling)
        #expect(alone > 2 && anchored < 0.7 * alone, "\(alone) and \(anchored) levels")
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

    /// Its columns from `column` on, one after another.
    func right(of column: Int) -> Picture {
        Picture(bytes: bytes.enumerated().filter { $0.offset / 3 % 160 >= column }.map(\.element))
    }

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
