import Foundation

/// Times and their middle.
enum Measure {
    /// Seconds on a clock that never jumps.
    static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

    /// Milliseconds that `body` takes.
    static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
        let start = now
        try body()
        return (now - start) * 1e3
    }

    static func median(_ numbers: [Double]) -> Double {
        numbers.isEmpty ? 0 : numbers.sorted()[numbers.count / 2]
    }

    /// Seconds of processor time that this process has used, all threads together.
    static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
