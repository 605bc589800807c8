import CKernels

/// One integer convolution on numbers of no meaning, levels in and out, on the calling thread.
final class KernelBench {
    private var kernel = movie_conv()
    private let memory: [UnsafeMutableRawPointer]
    private let panels: Int

    init(kernel size: Int, height: Int, width: Int, inputs: Int, outputs: Int) {
        let border = size / 2, rowPositions = width + 2 * border
        let positions = rowPositions * (height + 2 * border)
        let panel = outputs % 64 == 0 ? 64 : outputs % 48 == 0 ? 48 : outputs % 32 == 0 ? 32 : 16
        panels = (outputs + panel - 1) / panel
        let padded = panels * panel
        func allocate(_ bytes: Int, _ value: UInt8) -> UnsafeMutableRawPointer {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: value, count: bytes + 64)
            return memory
        }
        let input = allocate(positions * inputs, 3), output = allocate(positions * outputs, 0)
        let weights = allocate(padded * size * size * inputs, 1), start = allocate(padded * 4, 0)
        let numbers = allocate(padded * 8, 0), taps = allocate(size * 8, 0)
        for row in 0..<size { taps.storeBytes(of: row * rowPositions * inputs, toByteOffset: row * 8, as: Int.self) }
        for c in 0..<padded { numbers.storeBytes(of: 0.01, toByteOffset: c * 4, as: Float.self) }
        memory = [input, output, weights, start, numbers, taps]
        kernel.width = width
        kernel.area = width * height
        kernel.input = UnsafePointer(input.assumingMemoryBound(to: UInt8.self))
        kernel.in_step = inputs
        kernel.in_row = rowPositions * inputs
        kernel.in_picture = positions * inputs
        kernel.taps = UnsafePointer(taps.assumingMemoryBound(to: Int.self))
        kernel.tap_count = size
        kernel.depth = size * inputs
        kernel.weights = UnsafePointer(weights.assumingMemoryBound(to: Int8.self))
        kernel.start = UnsafePointer(start.assumingMemoryBound(to: Int32.self))
        kernel.scale = UnsafePointer(numbers.assumingMemoryBound(to: Float.self))
        kernel.bias = kernel.scale + padded
        kernel.channels = outputs
        kernel.panel_channels = panel
        kernel.output = output + (rowPositions * border + border) * outputs
        kernel.out_step = outputs
        kernel.out_row = rowPositions * outputs
        kernel.out_picture = positions * outputs
        kernel.out_kind = MOVIE_U8
    }

    deinit { memory.forEach { $0.deallocate() } }

    func run() {
        let isHeavy = panels * kernel.panel_channels * kernel.tap_count * kernel.depth > 1 << 19
        let block = isHeavy ? 768 : 192  // as plans cut it
        for first in stride(from: 0, to: kernel.area, by: block) {
            movie_conv_u8s8(&kernel, first, min(kernel.area, first + block), 0, panels)
        }
    }
}
