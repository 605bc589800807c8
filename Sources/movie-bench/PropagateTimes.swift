import Compute
import Frames
import Motion

/// Times one carried frame on a picture that moves everywhere: nothing is still, so nothing is skipped.
enum PropagateTimes {
    private static let frames = 12
    private static let rounds = 10

    static func measure(size: FrameSize, editSize: FrameSize, pool: WorkerPool) -> [Figure] {
        let count = size.width * size.height * 3
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * (frames + 1), alignment: 64)
        defer { memory.deallocate() }
        let row = size.width * 3, output = memory + frames * count
        for index in 0..<frames { paint(memory + index * count, size: size, index: index) }
        var advances: [Double] = [], renders: [Double] = [], both: [Double] = [], used: [Double] = []
        let propagator = Propagator(size: size, editSize: editSize, pool: pool)
        let target = MutableFrameView(base: output, size: size, stride: row)
        for step in 0..<rounds * frames {
            // Forth and back, so that neighbours are always one step apart.
            let place = step % (2 * frames - 2), index = place < frames ? place : 2 * frames - 2 - place
            let frame = FrameView(base: memory + index * count, size: size, stride: row)
            pool.begin()
            let before = Measure.processorTime
            let advance = Measure.milliseconds { propagator.advance(to: frame) }
            let render = Measure.milliseconds { propagator.render(into: target) }
            let processor = (Measure.processorTime - before) * 1e3
            pool.end()
            if propagator.canRender, step > frames {
                advances.append(advance)
                renders.append(render)
                both.append(advance + render)
                used.append(processor)
            }
            if step % 10 == 0 { propagator.keep(edit: propagator.source) }
        }
        let work = "\(editSize) to \(size)"
        return [
            Figure(work, "advance, median", Measure.median(advances), "ms"),
            Figure(work, "render, median", Measure.median(renders), "ms"),
            Figure(work, "a frame, median", Measure.median(both), "ms"),
            Figure(work, "a frame, best of ten", both.sorted().quantile(0.1), "ms"),
            // On a busy machine this stays true; with one thread nothing in it is waiting.
            Figure(work, "processor time of a frame, median", Measure.median(used), "ms"),
        ]
    }

    /// Blobs of many sizes that pan, with noise as cameras have.
    private static func paint(_ pixels: UnsafeMutableRawPointer, size: FrameSize, index: Int) {
        var state: UInt64 = 1 + UInt64(index)
        for y in 0..<size.height {
            for x in 0..<size.width {
                let u = x + index * 7, v = y + index * 3
                for channel in 0..<3 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let coarse = hash(u / 48, v / 48, channel), fine = hash(u / 12, v / 12, channel)
                    let value = coarse / 2 + fine / 3 + Int(state >> 61)
                    pixels.storeBytes(
                        of: UInt8(value), toByteOffset: (y * size.width + x) * 3 + channel, as: UInt8.self)
                }
            }
        }
    }

    private static func hash(_ x: Int, _ y: Int, _ channel: Int) -> Int {
        var h = UInt64(truncatingIfNeeded: x &* 73_856_093 ^ y &* 19_349_663 ^ channel &* 83_492_791)
        h = (h ^ h >> 31) &* 0x9E37_79B9_7F4A_7C15
        return Int(h >> 56)
    }
}
