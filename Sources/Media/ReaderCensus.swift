import CVideo
import Glibc
import Scheduling
import Synchronization

/// Counts who reads a loopback device.
///
/// v4l2loopback from 0.13 on tells it by an event, whose number has moved between versions, when a reader starts or stops;
/// asking anew for the event tells the present state. Older versions tell nothing; but every open device file counts in
/// the module's reference count, which everybody may read: it tells whether *somebody* has *some* loopback device open.
struct ReaderCensus {
    /// Numbers of the event, the newest first.
    private static let events: [UInt32] = [0x10e0_0001, 0x0800_0000]
    /// An event may get lost or be meant for a reader that is gone: the state is asked for again after so long.
    private static let renewal: Nanoseconds = .seconds(1)
    /// Loopback devices that this program has open.
    private static let own = Atomic<Int>(0)

    private let device: Int32
    private let event: UInt32?
    private let counter: Int32
    private var last = 0
    private var asked: Nanoseconds = 0

    /// A census of an open loopback device; `end` must follow when it is closed.
    init(_ device: Int32) {
        self.device = device
        event = Self.events.first { movie_video_watch(device, $0) >= 0 }
        counter = event == nil ? open("/sys/module/v4l2loopback/refcnt", O_RDONLY | O_CLOEXEC) : -1
        _ = Self.own.wrappingAdd(1, ordering: .relaxed)
    }

    /// The device has been closed.
    func end() {
        if counter >= 0 { close(counter) }
        _ = Self.own.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Readers now, or others that have a loopback device open; nil when that cannot be known. Allocates nothing.
    mutating func count(now: Nanoseconds) -> Int? {
        guard let event else { return openers() }
        if now - asked > Self.renewal {
            asked = now
            _ = movie_video_unwatch(device, event)
            _ = movie_video_watch(device, event)
        }
        var payload: UInt32 = 0
        while movie_video_next_event(device, event, &payload) == 1 { last = Int(payload) }
        return last
    }

    /// The module's reference count without this program's own devices.
    private func openers() -> Int? {
        guard counter >= 0 else { return nil }
        var digits: UInt64 = 0  // eight characters are enough for a count of files
        let length = pread(counter, &digits, 8, 0)
        guard length > 0 else { return nil }
        var count = 0
        for place in 0..<length {
            let digit = Int(digits >> (8 * UInt64(place)) & 0xff) - 48
            guard (0...9).contains(digit) else { break }
            count = 10 * count + digit
        }
        return max(0, count - Self.own.load(ordering: .relaxed))
    }
}

/// Decides from counts of readers whether anybody watches: yes at once, no only after a while and when asked twice.
struct ReaderWatch {
    /// Without a reader for so long, nobody watches.
    static let patience: Nanoseconds = .seconds(2)
    /// Two answers that nobody reads must lie so far apart.
    static let confirmation: Nanoseconds = .milliseconds(500)

    /// Whether somebody watches; so it is taken to be until the contrary is known.
    private(set) var isWatched = true
    private var emptySince: Nanoseconds?
    private var answers = 0
    private var lastAnswer: Nanoseconds = 0

    /// Notes a count; nil means that nobody knows, and counts as watched.
    mutating func note(_ count: Int?, now: Nanoseconds) {
        guard count == 0 else {
            isWatched = true
            emptySince = nil
            answers = 0
            return
        }
        let since = emptySince ?? now
        emptySince = since
        if answers == 0 || now - lastAnswer >= Self.confirmation {
            answers += 1
            lastAnswer = now
        }
        if answers >= 2, now - since >= Self.patience { isWatched = false }
    }
}
