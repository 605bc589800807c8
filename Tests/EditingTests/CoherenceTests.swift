import Frames
import TestSupport
import Testing

@testable import Editing
@testable import Networks

/// Sessions whose frames know of each other.
@Suite struct CoherenceTests {
    private static let size = FrameSize(width: 72, height: 64)

    private func session(_ anchor: AnchorMode, stability: Double = 0, age: Double = 10) throws -> EditSession {
        var settings = EditSettings(prompt: WholeEditor.prompt)
        settings.anchor = anchor
        settings.stability = stability
        settings.anchorMaximumAge = age
        let session = try EditSession(model: try WholeEditor.model.get(), settings: settings, pool: testPool)
        try session.prepare(size: Self.size)
        return session
    }

    private func edited(_ session: EditSession, _ pattern: Int, at time: Double? = nil) throws -> [UInt8] {
        let input = TestPicture(pattern: pattern, size: Self.size), output = TestPicture(size: Self.size)
        session.frameTime = time
        try session.edit(input.view, into: output.mutableView)
        return output.pixels
    }

    private func worst(_ a: [UInt8], _ b: [UInt8]) -> Int { zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 255 }

    @Test func framesAttendToTheMiddleOne() throws {
        let alone = try session(.none), anchored = try session(.middle)
        let plain = try [1, 2, 3].map { try edited(alone, $0) }
        #expect(try [1, 2, 3].map { try edited(anchored, $0) } == plain, "nothing to attend to yet")
        try anchored.setAnchor(TestPicture(pattern: 2, size: Self.size).view)
        let tied = try [1, 2, 3].map { try edited(anchored, $0) }
        #expect(worst(tied[1], plain[1]) <= 1, "a frame that attends to itself twice is as it was")
        #expect(worst(tied[0], plain[0]) > 1 && worst(tied[2], plain[2]) > 1)
        #expect(try [1, 2, 3].map { try edited(anchored, $0) } == tied, "and stays so")
        #expect(alone.anchorMemory == 0 && anchored.anchorMemory > 0)
    }

    @Test func aRollingAnchorIsTheFirstFrameAndRenewed() throws {
        let alone = try session(.none), middle = try session(.middle), rolling = try session(.rolling, age: 1)
        #expect(try edited(rolling, 1, at: 0) == edited(alone, 1) && rolling.anchorRenewal == .first)
        try middle.setAnchor(TestPicture(pattern: 1, size: Self.size).view)
        #expect(try edited(rolling, 2, at: 0.04) == edited(middle, 2) && rolling.anchorRenewal == nil)
        #expect(try edited(rolling, 2, at: 1.04) == edited(middle, 2) && rolling.anchorRenewal == .age)
        var outputs = [try edited(rolling, 3, at: 1.1)]
        for frame in 1..<12 { outputs.append(try edited(rolling, 3, at: 1.1 + Double(frame) * 0.05)) }
        let jump = worst(outputs[0], outputs[11]), steps = zip(outputs, outputs.dropFirst()).map { worst($0, $1) }
        #expect(steps.allSatisfy { $0 <= jump / 2 + 1 }, "steps \(steps) from one anchor to the next, \(jump) in all")
    }

    @Test func newGuidanceDropsTheAnchor() throws {
        let rolling = try session(.rolling)
        _ = try edited(rolling, 1, at: 0)
        _ = try edited(rolling, 2, at: 0.04)
        try rolling.setGuidance(12, image: nil)
        let after = try edited(rolling, 2, at: 0.08)
        #expect(rolling.anchorRenewal == .edit)
        #expect(try edited(WholeEditor.prepared(guidance: 12, Self.size), 2) == after)
    }

    /// A still source: outputs settle, whatever the stabilizer; the first frame after a change of guidance is the edit itself.
    @Test func stabilityActsAndLetsGo() throws {
        let stable = try session(.none, stability: 1), plain = try session(.none)
        let first = try edited(plain, 1)
        #expect(try edited(stable, 1) == first)
        #expect(try edited(stable, 1) == first, "a still picture is what it was")
        try stable.setGuidance(12, image: nil)
        #expect(try edited(stable, 1) == edited(WholeEditor.prepared(guidance: 12, Self.size), 1))
        stable.setStability(0)
        try stable.setGuidance(nil, image: nil)
        #expect(try edited(stable, 1) == first)
        plain.setStability(0.5)
        #expect(try edited(plain, 1) == first)
    }

    @Test func forgottenFramesLeaveNoTrace() throws {
        let tied = try session(.rolling, stability: 1), plain = try session(.none)
        _ = try edited(tied, 1, at: 0)
        _ = try edited(tied, 2, at: 0.04)
        tied.forgetFrames()
        #expect(try edited(tied, 2, at: 0.08) == edited(plain, 2) && tied.anchorRenewal == .first)
    }

    @Test func settingsAreChecked() {
        func refusal(_ change: (inout EditSettings) -> Void) -> String? {
            var settings = EditSettings(prompt: "x")
            change(&settings)
            return sentence {
                _ = try EditSession(model: try WholeEditor.model.get(), settings: settings, pool: testPool)
            }
        }
        #expect(refusal { $0.stability = 1.5 } == "the stability is 1.5; give 0 (off) to 1 (the most)")
        #expect(refusal { $0.stability = .nan } == "the stability is nan; give 0 (off) to 1 (the most)")
        #expect(refusal { $0.anchorMaximumAge = 0 } == "the anchor's maximum age is 0.0; give 0.5 to 3600 seconds")
        #expect(refusal { $0.stability = 1 } == nil)
    }
}

extension WholeEditor {
    fileprivate static func prepared(guidance: Double, _ size: FrameSize) throws -> EditSession {
        let session = try session(guidance: guidance)
        try session.prepare(size: size)
        return session
    }
}
