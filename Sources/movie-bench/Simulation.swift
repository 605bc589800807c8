import Scheduling

/// What decides in a simulation.
enum Policy: String, CaseIterable {
    /// The scheduler of the daemon.
    case movied
    /// Earliest deadline first, without shares, ladder or budget.
    case edf
    /// The newest frame of whoever came first, to its end.
    case newest
    /// Every frame, in the order they came: what programs without a scheduler do.
    case queue
}

/// A machine and its streams, on the virtual clock.
struct SimulatedMachine {
    var cores = 2
    /// Frames computed at once; each gets cores / lanes threads.
    var lanes = 1
    /// Part of a frame's work that one thread must do.
    var serialPart = 0.03
    var seconds = 30.0
    var budget: Double?
    /// While another program computes too, everything takes `slowdown` times as long.
    var slowdown = 1.0
    var loaded = 0.0...0.0
    var streams: [SimulatedStream] = []

    /// How many times faster a frame is than on one thread.
    var speedup: Double {
        let threads = Double(max(1, cores / max(1, lanes)))
        return 1 / (serialPart + (1 - serialPart) / threads)
    }
}

/// One stream of a simulation.
struct SimulatedStream {
    var name: String
    var rate = 30.0
    /// A frame's work on one thread, in milliseconds, one frame after the other, again from the beginning.
    var costs: [Double]
    var latencyBudget: Nanoseconds
    var weight = 1.0
    /// Steps of a frame: where it can be interrupted.
    var steps = 20
}

/// What came out for one stream.
struct SimulatedResult {
    var counters = StreamCounters()
    var finished = 0
    var ages: [Double] = []
    /// Age of every published edit, held ones too.
    var shownAges: [Double] = []
}

/// Replays arrivals, computing and output ticks in the order of their times.
struct Simulation {
    private enum Event { case arrival(Int), step(Int), tick(Int) }

    private struct Job {
        var stream: Int
        var captured: Nanoseconds
        var decision: Decision?
        var deadline: Nanoseconds
        var place: Nanoseconds
        var stepCost: Nanoseconds
        var left: Int
        var spent: Nanoseconds = 0
    }

    private struct Stream {
        let terms: SimulatedStream
        let number: Int
        var pacer: Pacer
        var selector = OutputSelector(fallback: .hold)
        var input = InputState()
        var mail: [Nanoseconds] = []
        var isBusy = false
        /// Whether the newest finished frame has not been shown yet.
        var isUnseen = false
        var frame = 0
        var newest: FinishedFrame?
        var result = SimulatedResult()
    }

    private let machine: SimulatedMachine
    private let policy: Policy
    private var scheduler: Scheduler
    private var streams: [Stream] = []
    private var waiting: [Job] = []
    private var lanes: [Job?]
    private var events = EventQueue<Event>()
    private var used: Nanoseconds = 0
    private var random: UInt64 = 7
    private let clock = ContinuousClock()
    /// What decisions took in nanoseconds of the real machine.
    private(set) var decisionTimes: [Double] = []

    init(_ machine: SimulatedMachine, policy: Policy) {
        self.machine = machine
        self.policy = policy
        let budget = policy == .movied ? machine.budget.map { CPUBudget(percent: $0, processors: machine.cores) } : nil
        scheduler = Scheduler(budget: budget)
        lanes = Array(repeating: nil, count: max(1, machine.lanes))
        for (index, terms) in machine.streams.enumerated() {
            let number = scheduler.add(
                StreamTerms(latencyBudget: terms.latencyBudget, weight: terms.weight, steps: terms.steps))
            let origin = Nanoseconds(Double(index) * 1e9 / terms.rate / Double(machine.streams.count))
            let pacer = Pacer(numerator: Int(terms.rate * 1000), denominator: 1000, origin: origin)
            streams.append(Stream(terms: terms, number: number, pacer: pacer))
            events.add(.arrival(index), at: origin + 1)
            events.add(.tick(index), at: origin)
        }
    }

    /// Runs to the end; results in the order of the streams.
    mutating func run() -> [SimulatedResult] {
        let end = Nanoseconds.seconds(machine.seconds)
        while let (time, event) = events.next(), time <= end {
            switch event {
            case .arrival(let stream): arrive(stream, time)
            case .step(let lane): step(lane, time)
            case .tick(let stream): tick(stream, time)
            }
        }
        return streams.map(\.result)
    }

    /// A frame comes, a millisecond of jitter either way.
    private mutating func arrive(_ index: Int, _ now: Nanoseconds) {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let jitter = Nanoseconds(random >> 44) - 524_288
        streams[index].frame += 1
        let next = Double(streams[index].frame) / streams[index].terms.rate
        let origin = Double(index) / streams[index].terms.rate / Double(streams.count)
        events.add(.arrival(index), at: max(now + 1, .seconds(origin + next) + jitter))
        streams[index].result.counters.framesIn += 1
        if policy != .queue, !streams[index].mail.isEmpty {
            streams[index].mail.removeAll(keepingCapacity: true)
            streams[index].result.counters.dropped += 1
        }
        streams[index].mail.append(now)
        admit(index, now)
    }

    private mutating func admit(_ index: Int, _ now: Nanoseconds) {
        guard !streams[index].isBusy, !streams[index].mail.isEmpty else { return }
        let captured = streams[index].mail.removeFirst()
        let deadline = captured + streams[index].terms.latencyBudget
        var decision: Decision?
        if policy == .movied {
            let begin = clock.now
            scheduler.note(processorTime: used, now: now)
            let made = scheduler.admit(streams[index].number, captured: captured, now: now)
            decisionTimes.append(Double((clock.now - begin).components.attoseconds) * 1e-9)
            streams[index].input.reason = made.rung == .held ? made.reason : .nothingNewer
            guard made.work != nil else {
                streams[index].result.counters.dropped += 1
                return
            }
            decision = made
        }
        let isLoaded = machine.loaded.contains(now.inSeconds)
        let costs = streams[index].terms.costs
        let work = costs[streams[index].frame % costs.count] * (isLoaded ? machine.slowdown : 1)
        let place = decision?.queueDeadline ?? (policy == .edf ? deadline : now)
        streams[index].isBusy = true
        let steps = streams[index].terms.steps
        waiting.append(
            Job(
                stream: index, captured: captured, decision: decision, deadline: deadline, place: place,
                stepCost: .milliseconds(work / machine.speedup / Double(steps)), left: steps))
        fill(now)
    }

    /// Gives free lanes to the earliest that wait.
    private mutating func fill(_ now: Nanoseconds) {
        for lane in lanes.indices where lanes[lane] == nil {
            guard let next = earliest() else { return }
            lanes[lane] = waiting.remove(at: next)
            events.add(.step(lane), at: now + (lanes[lane]?.stepCost ?? 0))
        }
    }

    private func earliest() -> Int? { waiting.indices.min { waiting[$0].place < waiting[$1].place } }

    /// A step ends: the job is done, goes on, or stands back for an earlier one.
    private mutating func step(_ lane: Int, _ now: Nanoseconds) {
        guard var job = lanes[lane] else { return }
        job.left -= 1
        job.spent += job.stepCost
        used += job.stepCost * Nanoseconds(max(1, machine.cores / max(1, machine.lanes)))
        if job.left == 0 {
            lanes[lane] = nil
            finish(job, now)
            fill(now)
            return
        }
        let canStandBack = policy == .movied || policy == .edf
        if canStandBack, let next = earliest(), waiting[next].place < job.place {
            let other = waiting.remove(at: next)
            waiting.append(job)
            job = other
        }
        lanes[lane] = job
        events.add(.step(lane), at: now + job.stepCost)
    }

    private mutating func finish(_ job: Job, _ now: Nanoseconds) {
        let index = job.stream
        if let decision = job.decision { scheduler.finish(streams[index].number, decision, cost: job.spent, now: now) }
        if let shown = streams[index].newest, shown.number == streams[index].result.finished, streams[index].isUnseen {
            streams[index].result.counters.dropped += 1
        }
        streams[index].result.finished += 1
        streams[index].newest = FinishedFrame(
            number: streams[index].result.finished, captured: job.captured, rung: .edited,
            isInTime: now <= job.deadline)
        if now > job.deadline { streams[index].result.counters.late += 1 }
        streams[index].isUnseen = true
        streams[index].pacer.noteFinish(at: now)
        streams[index].isBusy = false
        admit(index, now)
    }

    private mutating func tick(_ index: Int, _ now: Nanoseconds) {
        let tick = streams[index].pacer.take(now: now)
        let choice = streams[index].selector.select(
            newest: streams[index].newest, input: streams[index].input, now: now)
        streams[index].result.counters.note(choice, skipped: tick.skipped)
        if choice.isNew {
            streams[index].isUnseen = false
            streams[index].result.ages.append(choice.age.inMilliseconds)
        }
        if choice.rung != .placeholder { streams[index].result.shownAges.append(choice.age.inMilliseconds) }
        events.add(.tick(index), at: streams[index].pacer.due)
    }
}

/// Events by time, the earliest first; those of the same time in the order they came.
struct EventQueue<Event> {
    private var heap: [(time: Nanoseconds, order: Int, event: Event)] = []
    private var order = 0

    mutating func add(_ event: Event, at time: Nanoseconds) {
        heap.append((time, order, event))
        order += 1
        var place = heap.count - 1
        while place > 0, isEarlier(place, (place - 1) / 2) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func next() -> (Nanoseconds, Event)? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var place = 0
        while true {
            let left = 2 * place + 1, right = left + 1
            var least = place
            if left < heap.count, isEarlier(left, least) { least = left }
            if right < heap.count, isEarlier(right, least) { least = right }
            if least == place { return (first.time, first.event) }
            heap.swapAt(place, least)
            place = least
        }
    }

    private func isEarlier(_ a: Int, _ b: Int) -> Bool {
        (heap[a].time, heap[a].order) < (heap[b].time, heap[b].order)
    }
}
