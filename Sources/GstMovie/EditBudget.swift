import CLinux
import Glibc
import Scheduling

/// Processor time that edits took, held to a budget.
struct EditBudget {
    private let threads: Int
    private var used: Nanoseconds = 0
    private var percent: UInt64 = 100
    private var budget: CPUBudget?

    /// For edits on so many threads.
    init(threads: Int) { self.threads = threads }

    /// Whether an edit may begin under a budget of `percent` of all processors. Allocates nothing.
    mutating func allows(percent wanted: UInt64, now: UInt64) -> Bool {
        if wanted != percent || budget == nil && wanted < 100 {
            percent = wanted
            budget = wanted < 100 ? CPUBudget(percent: Double(wanted), processors: Int(movie_usable_cpus())) : nil
        }
        guard budget != nil else { return true }
        budget?.update(now: Nanoseconds(now), used: used)
        return budget?.allows ?? true
    }

    /// An edit took so long by the clock, and the process so much processor time meanwhile, other threads' included.
    mutating func note(wall: UInt64, process: UInt64) {
        used += Nanoseconds(min(process, wall * UInt64(threads)))
    }
}

/// Nanoseconds of processor time that the process has used.
func processNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
