import Frames
import Motion
import TestSupport

/// A picture from a function of place: blobs of several sizes, so that every part of it can be recognized.
func scene(_ size: FrameSize, seed: Double = 0, at place: (Double, Double) -> (Double, Double)) -> TestPicture {
    let picture = TestPicture(size: size)
    let base = picture.mutableView.base, stride = picture.stride
    for y in 0..<size.height {
        for x in 0..<size.width {
            let (u, v) = place(Double(x), Double(y))
            for channel in 0..<3 {
                let layer = channel + 10 * Int(seed)
                let value =
                    25 + 90 * blobs(u / 31, v / 31, layer) + 70 * blobs(u / 11, v / 11, layer + 3)
                    + 45 * blobs(u / 5, v / 5, layer + 6)
                base.storeBytes(
                    of: UInt8(max(0, min(255, value.rounded()))), toByteOffset: y * stride + 3 * x + channel,
                    as: UInt8.self)
            }
        }
    }
    return picture
}

/// Numbers in 0...1 that change smoothly from one whole place to the next.
private func blobs(_ x: Double, _ y: Double, _ layer: Int) -> Double {
    func corner(_ x: Int, _ y: Int) -> Double {
        var h = UInt64(truncatingIfNeeded: x &* 73_856_093 ^ y &* 19_349_663 ^ layer &* 83_492_791)
        h = (h ^ h >> 29) &* 0x9E37_79B9_7F4A_7C15
        return Double(h >> 40) / Double(1 << 24)
    }
    let left = Int(x.rounded(.down)), top = Int(y.rounded(.down))
    let u = x - Double(left), v = y - Double(top), fx = u * u * (3 - 2 * u), fy = v * v * (3 - 2 * v)
    let above = corner(left, top) * (1 - fx) + corner(left + 1, top) * fx
    return above * (1 - fy) + (corner(left, top + 1) * (1 - fx) + corner(left + 1, top + 1) * fx) * fy
}

/// The same scene moved by (dx, dy): pixel (x, y) shows what was at (x + dx, y + dy).
func moved(_ size: FrameSize, _ dx: Double, _ dy: Double, seed: Double = 0) -> TestPicture {
    scene(size, seed: seed) { ($0 + dx, $1 + dy) }
}

/// Changes every number of a picture.
func changed(_ picture: TestPicture, _ change: (_ value: UInt8, _ x: Int, _ y: Int, _ channel: Int) -> UInt8)
    -> TestPicture
{
    let result = TestPicture(size: picture.size), from = picture.view, to = result.mutableView
    for y in 0..<picture.size.height {
        for x in 0..<picture.size.width * 3 {
            let value = from.base.load(fromByteOffset: y * from.stride + x, as: UInt8.self)
            to.base.storeBytes(
                of: change(value, x / 3, y, x % 3), toByteOffset: y * to.stride + x, as: UInt8.self)
        }
    }
    return result
}

/// Noise of about `deviation` levels, different for every seed.
func noisy(_ picture: TestPicture, deviation: Double, seed: UInt64) -> TestPicture {
    var state = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    func uniform() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 40) / Double(1 << 24)
    }
    return changed(picture) { value, _, _, _ in
        // Twelve uniform numbers are nearly normal.
        let sum = (0..<12).reduce(-6.0) { sum, _ in sum + uniform() }
        return UInt8(max(0, min(255, (Double(value) + sum * deviation).rounded())))
    }
}

/// A tone edit: red and blue change places, darker.
func tone(_ picture: TestPicture) -> TestPicture {
    let view = picture.view
    return changed(picture) { _, x, y, channel in
        let other = view.base.load(fromByteOffset: y * view.stride + 3 * x + 2 - channel, as: UInt8.self)
        return UInt8(20 + Int(other) * 3 / 5)
    }
}

/// A drawing: bright lines along levels of one channel, which no affine transform explains.
func lines(_ picture: TestPicture) -> TestPicture {
    changed(picture) { value, _, _, _ in value / 32 % 2 == 0 ? 10 : 230 }
}

/// Peak signal-to-noise ratio in dB, at most 99; pixels nearer than `margin` to an edge do not count.
func psnr(_ a: TestPicture, _ b: TestPicture, margin: Int = 0) -> Double {
    let left = a.pixels, right = b.pixels, row = a.size.width * 3
    var sum = 0, count = 0
    for y in margin..<a.size.height - margin {
        for x in 3 * margin..<row - 3 * margin {
            let d = Int(left[y * row + x]) - Int(right[y * row + x])
            sum += d * d
            count += 1
        }
    }
    return sum == 0 ? 99 : min(99, -10 * logarithm(Double(sum) / Double(count) / 65025))
}
