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
        let wrong = Atomic<Int>(0)
        let callers = (0..<4).map { index in
            Thread {
                for round in 0..<200 where !visits(pool, 1 + (index * 7 + round) % 20).allSatisfy({ $0 == 1 }) {
                    wrong.add(1, ordering: .relaxed)
                }
            }
        }
        run(callers)
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    /// A lost wake-up would hang here: jobs so small that workers park and wake at every moment.
    @Test func thousandsOfTinyJobs() {
        let pool = WorkerPool(threads: 3)
        defer { pool.shutdown() }
        let total = Atomic<Int>(0)
        for job in 0..<5000 {
            pool.parallelFor(2) { tile, _ in total.add(tile + 1, ordering: .relaxed) }
            if job % 500 == 0 { usleep(2000) }  // long enough for every worker to park
        }
        #expect(total.load(ordering: .relaxed) == 15000)
    }

    @Test func workersAreToldApart() {
        let pool = WorkerPool(threads: 3)
        defer { pool.shutdown() }
        let threads = Mutex<[Int: Set<UInt>]>([:])
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
        let graph = Graph(), wrong = Atomic<Int>(0)
        let x = graph.input("x", .init(1, 1, 1, 1))
        let y = graph.record("scratch", from: [x], shape: x.shape, scratch: 100) { context, _ in
            context.withPool { pool, scratch in
                pool.parallelFor(60) { tile, worker in
                    let own = scratch(worker)
                    own.update(repeating: Float(tile), count: 100)
                    usleep(50)
                    if (0..<100).contains(where: { own[$0] != Float(tile) }) { wrong.add(1, ordering: .relaxed) }
                }
            }
        }
        graph.output("y", y)
        let plan = Plan(graph, pool: pool)
        for _ in 0..<5 { plan.run() }
        #expect(wrong.load(ordering: .relaxed) == 0)
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

    @Test func tellsTheProcessorsItMayUse() {
        let pool = WorkerPool()
        defer { pool.shutdown() }
        #expect((1...sysconf(Int32(_SC_NPROCESSORS_ONLN))).contains(pool.width))
    }
}

/// How often each of `count` tiles was visited.
private func visits(_ pool: WorkerPool, _ count: Int) -> [Int] {
    let visits = Mutex([Int](repeating: 0, count: max(0, count)))
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
