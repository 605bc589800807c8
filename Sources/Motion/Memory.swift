/// A piece of memory taken once, aligned for vectors and zeroed; the struct of a kernel's arguments is one of count 1.
final class Memory<Element: BitwiseCopyable> {
    /// The first element.
    let base: UnsafeMutablePointer<Element>
    /// Elements.
    let count: Int

    init(count: Int) {
        let bytes = max(1, count) * MemoryLayout<Element>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
        raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes + 64)
        base = raw.assumingMemoryBound(to: Element.self)
        self.count = count
    }

    convenience init(_ value: Element) {
        self.init(count: 1)
        base.pointee = value
    }

    deinit { base.deallocate() }

    /// Copies another of the same count.
    func copy(from other: Memory) {
        UnsafeMutableRawPointer(base).copyMemory(from: other.base, byteCount: count * MemoryLayout<Element>.stride)
    }
}
