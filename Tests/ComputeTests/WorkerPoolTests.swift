import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Compute

@Suite(.serialized) struct WorkerPoolTests {
    @Test(arguments: [1, 2, 3, 5]) func everyTileOnce(_ threads: Int) {
        let pool = WorkerPool(threads: threads)
        defer { pool.shutdown() }
        #expect(pool.width == threads)
        for count in [-1, 0, 1, 2, threads - 1, threads, threads + 1, 63, 64, 65, 1000] {
            #expect(visits(pool, count).allSatisfy { $0 == 1 }, "\(count) tiles")
        }
    }

    @Test func severalCallersTakeTurns() {
        let pool = WorkerPool(threads: 3)
        defer { pool.shutdown() }
        let wrong = Counter()
        let callers = (0..<4).map { index in
            Thread {
                for round in 0..<200 where !visits(pool, 1 + (index * 7 + round) % 20).allSatisfy({ $0 == 1 }) {
                    wrong.increment()
                }
            }
        }
        run(callers)
        #expect(wrong.value == 0)
    }

    /// A lost wake-up would hang here: jobs so small that workers park and wake at every moment.
    @Test func thousandsOfTinyJobs() {
        let pool = WorkerPool(threads: 3)
        defer { pool.shutdown() }
        let total = Counter()
        for job in 0..<5000 {
            pool.parallelFor(2) { tile, _ in total.increment(by: tile + 1) }
            if job % 500 == 0 { usleep(2000) }  // long enough for every worker to park
        }
        #expect(total.value == 15000)
    }

    @Test func workersAreToldApart() {
        let pool = WorkerPool(threads: 3)
        defer { pool.shutdown() }
        let threads = Shared<[Int: Set<UInt>]>([:])
        for _ in 0..<50 {
            pool.parallelFor(30) { _, worker in
                let own = UInt(pthread_self())
                threads.withLock { _ = $0[worker, default: []].insert(own) }
                usleep(20)
            }
        }
        let seen = threads.withLock { $0 }
        #expect(seen.keys.allSatisfy { (0..<3).contains($0) })
        #expect(seen.values.allSatisfy { $0.count == 1 }, "a worker's number is one thread's")
        #expect(Set(seen.values.flatMap { $0 }).count == seen.count)
    }

    @Test func scratchMemoryIsPrivate() {
        let pool = WorkerPool(threads: 3)
        defer { pool.shutdown() }
        let graph = Graph(), wrong = Counter()
        let x = graph.input("x", .init(1, 1, 1, 1))
        let y = graph.recordTiles("scratch", from: [x], shape: x.shape, scratch: 100, tiles: 60) { context, _ in
            { tile, worker in
                let own = context.scratch(worker)
                own.update(repeating: Float(tile), count: 100)
                usleep(50)
                if (0..<100).contains(where: { own[$0] != Float(tile) }) { wrong.increment() }
            }
        }
        graph.output("y", y)
        let plan = Plan(graph, pool: pool)
        for _ in 0..<5 { plan.run() }
        #expect(wrong.value == 0)
    }

    @Test func shutdownLeavesNothing() {
        weak var last: WorkerPool?
        let before = threadCount()
        for _ in 0..<200 {
            let pool = WorkerPool(threads: 4)
            _ = visits(pool, 8)
            pool.shutdown()
            last = pool
        }
        #expect(last == nil)
        // Other suites' threads come and go; 600 of ours would show.
        #expect(threadCount() < before + 50)
    }

    @Test func worksAloneAfterShutdown() {
        let pool = WorkerPool(threads: 2)
        pool.shutdown()
        pool.shutdown()
        #expect(visits(pool, 9).allSatisfy { $0 == 1 })
    }

    /// The pool is held while jobs come in the wrong order: they run in that of their deadlines, equal ones as they came.
    @Test(arguments: [1, 3]) func jobsRunByDeadline(_ threads: Int) {
        let pool = WorkerPool(threads: threads)
        defer { pool.shutdown() }
        let order = Shared<[Int]>([]), waiting = Counter()
        pool.begin(deadline: 0)
        let deadlines = [50, 10, 40, 10, 30, 20]
        let jobs = deadlines.enumerated().map { index, deadline in
            Thread {
                while waiting.value < index { usleep(100) }
                waiting.increment()
                pool.begin(deadline: Int64(deadline))
                order.withLock { $0.append(deadline * 10 + index) }
                pool.parallelFor(4) { _, _ in }
                pool.end()
            }
        }
        for job in jobs {
            job.start()
            usleep(20_000)  // it waits in the queue before the next comes
        }
        pool.end()
        while !jobs.allSatisfy(\.isFinished) { usleep(1000) }
        #expect(order.withLock { $0 } == [101, 103, 205, 304, 402, 500])
    }

    /// A long job stands back between two steps for a short one with an earlier deadline, and goes on.
    @Test func anEarlierDeadlineTakesOverBetweenSteps() {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let log = Shared<[String]>([]), isRunning = Counter(), stoodBack = Counter()
        let long = Thread {
            pool.begin(deadline: 1000)
            for step in 0..<400 {
                pool.yieldIfEarlier()
                pool.parallelFor(2) { _, _ in usleep(200) }
                if step == 0 { isRunning.increment() }
            }
            log.withLock { $0.append("long") }
            stoodBack.increment(by: Int(pool.end() / 1000))
        }
        let short = Thread {
            while isRunning.value == 0 { usleep(100) }
            pool.begin(deadline: 10)
            usleep(5000)
            log.withLock { $0.append("short") }
            pool.end()
        }
        let later = Thread {
            while isRunning.value == 0 { usleep(100) }
            pool.begin(deadline: 2000)
            log.withLock { $0.append("later") }
            pool.end()
        }
        run([long, short, later])
        #expect(log.withLock { $0 } == ["short", "long", "later"])
        #expect((5000...60_000).contains(stoodBack.value), "\(stoodBack.value) us")
    }

    @Test func plansStandBack() {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        let graph = Graph(), steps = Counter(), seen = Counter()
        var x = graph.input("x", .init(1, 1, 1, 1))
        for _ in 0..<100 {
            x = graph.recordTiles("step", from: [x], shape: x.shape, scratch: 0, tiles: 2) { _, _ in
                { _, _ in
                    steps.increment()
                    usleep(500)
                }
            }
        }
        graph.output("y", x)
        let plan = Plan(graph, pool: pool)
        let long = Thread {
            pool.begin(deadline: 1000)
            plan.run()
            pool.end()
        }
        let short = Thread {
            while steps.value == 0 { usleep(100) }
            pool.begin(deadline: 1)
            seen.increment(by: steps.value)
            pool.end()
        }
        run([long, short])
        #expect(steps.value == 200 && (1..<150).contains(seen.value), "after \(seen.value) of 200 tiles")
    }

    /// Jobs, steps outside jobs and preemption from many threads at once: every tile once, never tiles of two threads at
    /// the same time, and nobody waits for ever.
    @Test func manyJobsAtOnce() {
        let pool = WorkerPool(threads: 3)
        defer { pool.shutdown() }
        let wrong = Counter(), done = Counter(), running = Shared([Int](repeating: 0, count: 8))
        @Sendable func step(_ index: Int, tiles: Int) {
            let visits = Shared([Int](repeating: 0, count: tiles))
            pool.parallelFor(tiles) { tile, _ in
                let isAlone = running.withLock { running in
                    running[index] += 1
                    return running.indices.allSatisfy { $0 == index || running[$0] == 0 }
                }
                if !isAlone { wrong.increment() }
                visits.withLock { $0[tile] += 1 }
                running.withLock { $0[index] -= 1 }
            }
            if !visits.withLock({ $0.allSatisfy { $0 == 1 } }) { wrong.increment() }
        }
        let jobs = (0..<8).map { index in
            Thread {
                for round in 0..<60 {
                    let isJob = (index + round) % 3 != 0
                    if isJob { pool.begin(deadline: Int64((index * 37 + round * 11) % 100)) }
                    for number in 0..<5 {
                        if isJob { pool.yieldIfEarlier() }
                        step(index, tiles: 2 + number * 3)  // a single tile takes no turn
                    }
                    if isJob { pool.end() }
                    done.increment()
                }
            }
        }
        run(jobs)
        #expect(wrong.value == 0 && done.value == 480)
    }

    @Test func jobsMayBeNestedAndEndedTwice() {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutdown() }
        pool.begin(deadline: 5)
        pool.begin(deadline: 1)
        pool.end()
        #expect(visits(pool, 5).allSatisfy { $0 == 1 })
        pool.end()
        pool.end()
        pool.yieldIfEarlier()
        #expect(visits(pool, 5).allSatisfy { $0 == 1 })
    }

    /// One step of many tiles: an earlier job need not wait for its end, and every tile is done once.
    @Test(arguments: [1, 2, 3]) func anEarlierDeadlineTakesOverBetweenTiles(_ width: Int) {
        let pool = WorkerPool(threads: width)
        defer { pool.shutdown() }
        let tiles = 120, done = Shared([Int](repeating: 0, count: tiles)), doneBefore = Shared(tiles)
        let started = Shared(false)
        let late = Thread {
            pool.begin(deadline: 1000)
            pool.parallelFor(tiles) { tile, _ in
                started.withLock { $0 = true }
                usleep(2000)
                done.withLock { $0[tile] += 1 }
            }
            pool.end()
        }
        let early = Thread {
            while !started.withLock({ $0 }) { usleep(100) }
            pool.begin(deadline: 10)
            let count = done.withLock { $0.count { $0 > 0 } }
            doneBefore.withLock { $0 = count }
            pool.parallelFor(7) { _, _ in usleep(100) }
            pool.end()
        }
        run([late, early])
        #expect(done.withLock { $0 }.allSatisfy { $0 == 1 }, "every tile once")
        #expect(doneBefore.withLock { $0 } < tiles / 2, "the earlier job waited for no more than tiles under way")
    }

    @Test func idleWorkersSleep() {
        let pool = WorkerPool(threads: 4)
        defer { pool.shutdown() }
        _ = visits(pool, 100)
        usleep(20_000)
        let before = workerTicks()
        usleep(300_000)
        #expect(workerTicks() - before <= 3, "ticks of 10 ms, of all pools' workers")
    }

    @Test func tellsTheProcessorsItMayUse() {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        #expect((1...sysconf(Int32(_SC_NPROCESSORS_ONLN))).contains(pool.width))
    }
}

/// How often each of `count` tiles was visited.
private func visits(_ pool: WorkerPool, _ count: Int) -> [Int] {
    let visits = Shared([Int](repeating: 0, count: max(0, count)))
    pool.parallelFor(count) { tile, _ in visits.withLock { $0[tile] += 1 } }
    return visits.withLock { $0 }
}

private func run(_ threads: [Thread]) {
    for thread in threads { thread.start() }
    while !threads.allSatisfy(\.isFinished) { usleep(1000) }
}

private func threadCount() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
}

/// Processor time of all threads named as workers, in ticks of the system.
private func workerTicks() -> Int {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.reduce(0) { sum, thread in
        let line = (try? String(contentsOfFile: "/proc/self/task/\(thread)/stat", encoding: .utf8)) ?? ""
        guard line.contains("(movie-work-3)") else { return sum }
        let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 12 ? sum + (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : sum
    }
}

/// A value that the closures of several threads share. NSLock, because the thread sanitizer does not see Mutex.
private final class Shared<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func increment(by step: Int = 1) { count.add(step, ordering: .sequentiallyConsistent) }
}
