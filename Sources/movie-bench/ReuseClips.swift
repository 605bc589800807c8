import Editing
import Frames
import Glibc
import Media

/// The pictures that reuse is measured on.
struct ReuseClip {
    let name: String
    let frames: [StoredFrame]
    /// Whether everything moves, so that nothing can be reused.
    let isMoving: Bool

    /// A video file, scaled to `size`.
    init(path: String, size: FrameSize, limit: Int) throws {
        var frames: [StoredFrame] = []
        try FileFrames.read(path: path, size: size) { view in
            frames.append(StoredFrame(view))
            return frames.count < limit
        }
        self.init(name: path.split(separator: "/").last.map(String.init) ?? path, frames: frames, isMoving: false)
    }

    private init(name: String, frames: [StoredFrame], isMoving: Bool) {
        self.name = name
        self.frames = frames
        self.isMoving = isMoving
    }

    /// A still room with a figure that sways, seen by a camera whose noise has a deviation of two levels.
    static func room(size: FrameSize, count: Int) -> ReuseClip {
        var noise = Noise(seed: 3)
        let frames = (0..<count).map { index -> StoredFrame in
            let time = Double(index) / 30, width = Double(size.width), height = Double(size.height)
            let x = width * (0.5 + 0.12 * sin(1.7 * time)), y = height * (0.42 + 0.03 * sin(2.9 * time))
            return Self.paint(size, &noise, deviation: 2) { column, row in
                let u = (Double(column) - x) / height, v = (Double(row) - y) / height
                if u * u / 0.012 + v * v / 0.02 < 1 {
                    return (205 - 60 * v, 150 - 50 * v, 120 + 30 * u)  // the head
                }
                if v > 0.12, abs(u) < 0.16 + 0.25 * (v - 0.12) {
                    return (60 + 40 * sin(40 * u), 80, 140 - 80 * v)  // a striped shirt
                }
                return texture(Double(column), Double(row))
            }
        }
        return ReuseClip(name: "room", frames: frames, isMoving: false)
    }

    /// The camera turns: everything moves by three pixels a frame.
    static func pan(size: FrameSize, count: Int) -> ReuseClip {
        var noise = Noise(seed: 4)
        let frames = (0..<count).map { index in
            paint(size, &noise, deviation: 2) { column, row in texture(Double(column + 3 * index), Double(row)) }
        }
        return ReuseClip(name: "pan", frames: frames, isMoving: true)
    }

    /// Walls, boards and leaves: smooth shades, edges and fine detail.
    private static func texture(_ x: Double, _ y: Double) -> (Double, Double, Double) {
        let board = (x / 57).truncatingRemainder(dividingBy: 2) < 1 ? 30.0 : 0
        let leaf = 22 * sin(x / 5.3) * cos(y / 7.1) + 12 * sin(x / 2.1 + y / 3.3)
        let shade = 90 + 40 * sin(x / 131) + 0.12 * y
        return (shade + board + leaf, shade + 0.6 * board + 0.5 * leaf, shade * 0.8 + 20 - 0.3 * leaf)
    }

    private static func paint(
        _ size: FrameSize, _ noise: inout Noise, deviation: Float, _ colour: (Int, Int) -> (Double, Double, Double)
    ) -> StoredFrame {
        var grain = [Float](repeating: 0, count: size.width * size.height * 3)
        noise.fill(&grain)
        var pixels = [UInt8](repeating: 0, count: grain.count)
        for row in 0..<size.height {
            for column in 0..<size.width {
                let (r, g, b) = colour(column, row), index = 3 * (row * size.width + column)
                for (c, value) in [r, g, b].enumerated() {
                    let level = Float(value) + deviation * grain[index + c]
                    pixels[index + c] = UInt8(max(0, min(255, level.rounded())))
                }
            }
        }
        return StoredFrame(size: size, pixels: pixels)
    }
}
