import Frames
import Synchronization

/// Loopback devices that are opened before anything else of a program, so that a reader that outlived the program's last run
/// sees a picture while models are still being loaded.
public enum EarlyOutputs {
    private static let opened = Mutex<[String: LoopbackSink]>([:])

    /// Opens a stream's loopback devices, where its size and rate are known. Each shows our own picture.
    ///
    /// Throws what is wrong with a device.
    public static func open(_ settings: LiveSettings) throws(MediaError) {
        guard let size = settings.size, let framerate = settings.framerate else { return }
        try size.validate(as: "the size", advice: "\(size.nearestAllowed) would do")
        for case .loopback(let spec) in settings.sinks {
            try LoopbackSink.check(spec.device)
            let sink = try LoopbackSink(spec, size: size, framerate: framerate)
            opened.withLock { $0[spec.device] = sink }
        }
    }

    /// Closes those that nobody has taken.
    public static func close() { opened.withLock { $0 = [:] } }

    /// The device's sink, if it is open already and of that kind; a new one otherwise.
    static func take(_ spec: LoopbackSpec, size: FrameSize, framerate: Framerate) throws(MediaError) -> LoopbackSink {
        if let early = opened.withLock({ $0.removeValue(forKey: spec.device) }), early.spec == spec,
            early.format.size == size
        {
            return early
        }
        return try LoopbackSink(spec, size: size, framerate: framerate)
    }
}
