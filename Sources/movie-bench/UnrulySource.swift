import Foundation
import Frames
import Media
import Scheduling

/// A source that does everything a source should not: stalls for 3 s, bursts 90 frames at once, jumps its timestamps back
/// and forth, changes its rate.
struct UnrulySource {
    /// A trouble and when it ends.
    struct Trouble {
        let name: String
        let end: Double
    }

    /// How long the script is.
    static let seconds = 28.0
    /// All there are; each is followed by two seconds of a frame every 33 ms, the jump ahead by the jump back.
    static let troubles = [
        Trouble(name: "a stall and a burst", end: 7), Trouble(name: "a jump ahead", end: 11),
        Trouble(name: "a jump back", end: 13), Trouble(name: "jumps at every frame", end: 17),
        Trouble(name: "60 frames a second", end: 21), Trouble(name: "10 frames a second", end: 25),
    ]

    private let bytes: Int

    init(size: FrameSize) { bytes = size.width * size.height * 3 }

    static func fragment(_ size: FrameSize) -> String {
        "gst:appsrc name=movied_inlet is-live=true format=time block=false max-bytes=0 "
            + "caps=\"video/x-raw,format=RGB,width=\(size.width),height=\(size.height),framerate=0/1\""
    }

    /// Plays the script; returns at its end.
    func play(into stream: LiveStream) {
        guard let inlet = stream.inlet else { return }
        let clock = MonotonicClock(), begin = clock.now
        var value: UInt8 = 0, count = 0
        func push(_ timestamp: Double) {
            value &+= 1
            inlet.push(bytes: bytes, value: value, timestamp: .seconds(max(0, timestamp)))
        }
        func frames(until end: Double, rate: Double, offset: (Double) -> Double = { _ in 0 }) {
            var time = (clock.now - begin).inSeconds
            while time < end {
                push(100 + time + offset(time))
                count += 1
                time += 1 / rate
                let left = begin + .seconds(time) - clock.now
                if left > 0 { usleep(UInt32(left / 1000)) }
            }
        }
        frames(until: 4, rate: 30)
        usleep(3_000_000)
        for index in 0..<90 { push(104 + Double(index) / 30) }
        frames(until: 9, rate: 30)
        frames(until: 11, rate: 30) { _ in 100 }
        frames(until: 13, rate: 30) { _ in -50 }
        frames(until: 15, rate: 30)
        frames(until: 17, rate: 30) { _ in count % 2 == 0 ? 5 : -5 }
        frames(until: 19, rate: 30)
        frames(until: 21, rate: 60)
        frames(until: 23, rate: 30)
        frames(until: 25, rate: 10)
        frames(until: Self.seconds + 1, rate: 30)
    }
}

/// Other programs that compute, one on each processor.
enum Load {
    /// Starts them after a while; they end by themselves. Returns when they have.
    static func run(after pause: Double, seconds: Double) {
        usleep(UInt32(pause * 1e6))
        let children = (0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))).compactMap { _ in spawn(seconds) }
        for child in children {
            var status: Int32 = 0
            waitpid(child, &status, 0)
        }
    }

    private static func spawn(_ seconds: Double) -> pid_t? {
        let words: [String] = ["movie-bench", "spin", "--seconds", "\(seconds)"]
        var arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child = pid_t()
        return posix_spawn(&child, "/proc/self/exe", nil, nil, &arguments, environ) == 0 ? child : nil
    }
}
