import Scheduling
import Testing

struct LimitsTests {
    private func sentence(_ body: () throws(LimitError) -> Void) -> String {
        do {
            try body()
            return "allowed"
        } catch {
            return error.message
        }
    }

    @Test func allowed() {
        for rate in [1, 24000.0 / 1001, 30, 240] {
            #expect(sentence { () throws(LimitError) in try Limits.check(framerate: rate, "x") } == "allowed")
        }
        for budget in [1.0, 50, 100] {
            #expect(sentence { () throws(LimitError) in try Limits.check(budget: budget, "x") } == "allowed")
        }
        #expect(
            sentence { () throws(LimitError) in try Limits.check(latency: 33_333_333, framerate: 30, "x") } == "allowed"
        )
        #expect(
            sentence { () throws(LimitError) in try Limits.check(latency: .seconds(10), framerate: 30, "x") }
                == "allowed")
    }

    @Test(arguments: [0, 1000, 0.5, -1, .nan, .infinity]) func badRates(_ rate: Double) {
        let text = sentence { () throws(LimitError) in try Limits.check(framerate: rate, "--framerate") }
        #expect(text.hasPrefix("--framerate is ") && text.contains("from 1 to 240"), "\(text)")
    }

    @Test func theSentencesNameValueAndRange() {
        #expect(
            sentence { () throws(LimitError) in try Limits.check(framerate: 1000, "--framerate") }
                == "--framerate is 1000; it must be from 1 to 240 frames a second, for example 30")
        #expect(
            sentence { () throws(LimitError) in
                try Limits.check(latency: .milliseconds(20), framerate: 30, "--latency-budget")
            }
                == "--latency-budget is 20 ms; at 30 frames a second it must be from 34 ms (one frame) to 10000 ms, "
                + "for example 68 ms")
        #expect(
            sentence { () throws(LimitError) in try Limits.check(budget: 300, "cpu.budget") }
                == "cpu.budget is 300%; it must be from 1% to 100% of all processors, for example 50%")
        #expect(sentence { () throws(LimitError) in try Limits.check(budget: 0, "x") }.contains("is 0%"))
        #expect(
            sentence { () throws(LimitError) in try Limits.check(threads: 0, "x") }
                == "x is 0; it must be from 1 to 256")
        #expect(sentence { () throws(LimitError) in try Limits.check(weight: 0, "x") }.contains("from 0.01 to 100"))
    }
}
