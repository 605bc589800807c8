import Frames
import Glibc

/// Publishes the negative, so that an edited picture cannot be taken for a raw one.
final class InvertingEditor: FrameEditor {
    private(set) var sizes: [FrameSize] = []
    private(set) var strides: Set<Int> = []

    func prepare(size: FrameSize) { sizes.append(size) }

    func edit(_ input: FrameView, into output: MutableFrameView) {
        strides.insert(input.stride)
        for row in 0..<input.size.height {
            let source = input.base + row * input.stride
            let target = output.base + row * output.stride
            for column in 0..<input.size.width * 3 {
                target.storeBytes(
                    of: ~source.load(fromByteOffset: column, as: UInt8.self), toByteOffset: column, as: UInt8.self)
            }
        }
    }
}

/// Passes frames on, each after a while.
final class SlowEditor: FrameEditor {
    private let inner = PassthroughEditor()
    private let milliseconds: UInt32

    init(milliseconds: UInt32) { self.milliseconds = milliseconds }

    func prepare(size: FrameSize) {}

    func edit(_ input: FrameView, into output: MutableFrameView) {
        usleep(milliseconds * 1000)
        inner.edit(input, into: output)
    }
}

/// Fails at a given frame.
final class FailingEditor: FrameEditor {
    struct Failure: Error, Equatable { let frame: Int }

    private let inner = PassthroughEditor()
    private let limit: Int
    private(set) var frames = 0

    init(after limit: Int) { self.limit = limit }

    func prepare(size: FrameSize) {}

    func edit(_ input: FrameView, into output: MutableFrameView) throws {
        if frames == limit { throw Failure(frame: frames) }
        frames += 1
        inner.edit(input, into: output)
    }
}

/// Passes frames on; remembers the middle frame it was shown, and the time of every frame.
final class AnchorSpy: TimedEditor, AnchoredEditor {
    let wantsMiddleFrame: Bool
    var frameTime: Double?
    private(set) var times: [Double?] = []
    private(set) var anchors: [(brightness: Int, before: Int)] = []
    private(set) var brightness: [Int] = []

    init(wantsMiddleFrame: Bool = true) { self.wantsMiddleFrame = wantsMiddleFrame }

    func prepare(size: FrameSize) {}

    func setAnchor(_ frame: FrameView) { anchors.append((Self.brightness(frame), times.count)) }

    func edit(_ input: FrameView, into output: MutableFrameView) {
        times.append(frameTime)
        brightness.append(Self.brightness(input))
        output.copy(from: input)
    }

    private static func brightness(_ frame: FrameView) -> Int {
        Int(frame.base.load(fromByteOffset: frame.stride * frame.size.height / 2 + 3 * 31, as: UInt8.self))
    }
}
