import CKernels
import Compute
import Frames

/// One edited frame and the motion from the newest frame to it.
final class Track {
    /// The edited frame's luma.
    let pyramid: Pyramid
    /// From the newest frame to the edited one.
    let field: MotionField
    /// The edited frame, [height, width, 3].
    let source: Memory<UInt8>
    /// Source and edit side by side, as `movie_motion_pair` writes them.
    let pairs: Memory<UInt8>

    init(size: FrameSize) {
        pyramid = Pyramid(size: size)
        field = MotionField(size: size)
        source = Memory(count: size.width * size.height * 3)
        pairs = Memory(count: 8 * (size.width + 1) * (size.height + 1))
    }

    /// The newest frame is the one to be edited.
    func begin(at now: Pyramid, source: Memory<UInt8>) {
        pyramid.copy(from: now)
        self.source.copy(from: source)
        field.reset()
    }

    /// The frame's edit is there.
    func set(edit: FrameView, size: FrameSize) {
        movie_motion_pair(
            pairs.base, source.base, 3 * size.width, edit.base.assumingMemoryBound(to: UInt8.self), edit.stride,
            size.width, size.height, 0, size.height)
    }
}
