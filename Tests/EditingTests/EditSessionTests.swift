import Foundation
import Frames
import TestSupport
import Testing

@testable import Editing
@testable import Networks

private let small = FrameSize(width: 64, height: 64)

@Suite struct EditSessionTests {
    /// The edited pixels of a pattern; `extra` bytes lie between the rows of input and output.
    private func edited(_ session: EditSession, size: FrameSize = small, extra: Int = 0) throws -> [UInt8] {
        let input = TestPicture(pattern: 1, size: size, extra: extra), output = TestPicture(size: size, extra: extra)
        let before = input.pixels
        try session.prepare(size: size)
        try session.edit(input.view, into: output.mutableView)
        #expect(input.pixels == before && input.isUntouchedOutside && output.isUntouchedOutside)
        return output.pixels
    }

    @Test func seedDecides() throws {
        let first = try edited(WholeEditor.session(seed: 7))
        #expect(try edited(WholeEditor.session(seed: 7)) == first)
        #expect(try edited(WholeEditor.session(seed: 8)) != first)
        #expect(Set(first).count > 10, "the picture is not of one colour")
    }

    @Test func everyFrameStartsFromTheSameNoise() throws {
        let session = try WholeEditor.session()
        let first = try edited(session)
        #expect(try edited(session) == first)
        _ = try edited(session, size: FrameSize(width: 72, height: 64))
        #expect(try edited(session) == first)
    }

    @Test func promptAndGuidanceChangeTheResult() throws {
        let usual = try edited(WholeEditor.session())
        #expect(try edited(WholeEditor.session(guidance: 7.5, imageGuidance: 1.5)) == usual)
        #expect(try edited(WholeEditor.session(guidance: 12)) != usual)
        #expect(try edited(WholeEditor.session(imageGuidance: 2)) != usual)
        #expect(try edited(WholeEditor.session("watercolour")) != usual)
    }

    /// Sizes that are no multiple of the factor are padded; rows may be longer than their pixels.
    @Test(arguments: [(70, 66), (64, 66), (66, 64), (126, 78)], [0, 1, 13])
    func paddedFrames(_ size: (width: Int, height: Int), _ extra: Int) throws {
        let size = FrameSize(width: size.width, height: size.height)
        let session = try WholeEditor.session()
        let result = try edited(session, size: size, extra: extra)
        #expect(try edited(WholeEditor.session(), size: size) == result, "the same whatever the stride")
    }

    /// A padded frame is edited as the frame with its last row and column repeated.
    @Test(arguments: [((70, 66), (72, 72)), ((20, 6), (64, 64))])
    func paddingRepeatsTheEdge(_ sides: (Int, Int), _ padded: (Int, Int)) throws {
        let size = FrameSize(width: sides.0, height: sides.1), whole = FrameSize(width: padded.0, height: padded.1)
        let picture = TestPicture(pattern: 2, size: size), larger = TestPicture(size: whole)
        let source = picture.pixels
        for row in 0..<whole.height {
            for column in 0..<whole.width {
                for channel in 0..<3 {
                    let value = source[
                        (min(row, size.height - 1) * size.width + min(column, size.width - 1)) * 3 + channel]
                    larger.mutableView.base.storeBytes(
                        of: value, toByteOffset: (row * whole.width + column) * 3 + channel, as: UInt8.self)
                }
            }
        }
        let session = try WholeEditor.session()
        let output = TestPicture(size: size), reference = TestPicture(size: whole)
        try session.prepare(size: size)
        try session.edit(picture.view, into: output.mutableView)
        try session.prepare(size: whole)
        try session.edit(larger.view, into: reference.mutableView)
        let all = reference.pixels
        var expected: [UInt8] = []
        for row in 0..<size.height {
            let start = row * whole.width * 3
            expected += all[start..<start + size.width * 3]
        }
        #expect(output.pixels == expected)
    }

    @Test func stagesAreTimed() throws {
        let session = try WholeEditor.session()
        #expect(session.operations == 0 && session.memory == 0)
        _ = try edited(session)
        #expect(session.stageNames == ["pre-process", "encode", "denoise", "decode", "compose"])
        #expect(session.stageMilliseconds.count == 5 && session.stageMilliseconds.allSatisfy { $0 >= 0 })
        #expect(session.operations > 0 && session.memory > 0)
    }

    @Test func longPromptsAreCut() throws {
        let session = try WholeEditor.session(String(repeating: "a ", count: 5000))
        #expect(session.warnings == ["the prompt is too long for this model: its last 4986 tokens are ignored"])
        #expect(try WholeEditor.session().warnings.isEmpty)
    }
}

@Suite struct EditErrorTests {
    @Test(arguments: ["", "  ", "\t\n \u{3000}"]) func emptyPrompt(_ prompt: String) {
        #expect(
            sentence { _ = try WholeEditor.session(prompt) }
                == "the prompt is empty: say what to change, for example \"make it a pencil drawing\"")
    }

    @Test func scalesOutsideTheRange() {
        #expect(
            sentence { _ = try WholeEditor.session(guidance: 0.5) }
                == "the guidance scale is 0.5; this model takes 1.0 to 30.0")
        #expect(
            sentence { _ = try WholeEditor.session(guidance: 31) }
                == "the guidance scale is 31.0; this model takes 1.0 to 30.0")
        #expect(
            sentence { _ = try WholeEditor.session(imageGuidance: -1) }
                == "the image guidance scale is -1.0; this model takes 1.0 to 5.0")
        #expect(
            sentence { _ = try WholeEditor.session(guidance: .nan) }
                == "the guidance scale is nan; this model takes 1.0 to 30.0")
        #expect(
            sentence { _ = try WholeEditor.session(imageGuidance: .infinity) }
                == "the image guidance scale is inf; this model takes 1.0 to 5.0")
        #expect(sentence { _ = try WholeEditor.session(guidance: 1, imageGuidance: 5) } == nil)
    }

    @Test(arguments: [
        (63, 64), (65, 64), (64, 65), (1, 64), (64, 0), (-64, 64), (0, 0), (16386, 64), (64, Int.max - 1),
    ])
    func badSizes(_ size: (width: Int, height: Int)) throws {
        let session = try WholeEditor.session()
        #expect(
            sentence { try session.prepare(size: FrameSize(width: size.width, height: size.height)) }
                == "the frame size is \(size.width)x\(size.height); width and height must be even and from 2 to 16384")
    }

    @Test func frameOfAnotherSize() throws {
        let session = try WholeEditor.session()
        let picture = TestPicture(pattern: 1, size: small)
        let other = TestPicture(pattern: 1, size: FrameSize(width: 66, height: 64))
        let unprepared = "a frame of 64x64 came before the session was prepared for this size"
        #expect(sentence { try session.edit(picture.view, into: picture.mutableView) } == unprepared)
        try session.prepare(size: small)
        #expect(sentence { try session.edit(picture.view, into: picture.mutableView) } == nil)
        #expect(
            sentence { try session.edit(other.view, into: other.mutableView) }
                == "a frame of 66x64 came before the session was prepared for this size")
        #expect(sentence { try session.edit(picture.view, into: other.mutableView) } != nil)
        #expect(other.isUntouchedOutside)
    }
}

@Suite struct NoiseTests {
    private func numbers(_ seed: UInt64, _ count: Int) -> [Float] {
        var noise = Noise(seed: seed)
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            noise.fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    @Test func isNormal() {
        let values = numbers(3, 100_000).map { Double($0) }
        let mean = values.reduce(0, +) / 100_000
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / 100_000 - mean * mean).squareRoot()
        // Three standard errors of a hundred thousand numbers.
        #expect(abs(mean) < 0.01 && abs(deviation - 1) < 0.007)
        let inside = values.filter { abs($0) < 1 }.count
        #expect(abs(Double(inside) / 100_000 - 0.6827) < 0.005)
        #expect(values.allSatisfy { $0.isFinite })
    }

    /// Written down so that no change of the generator goes unnoticed: videos edited again must look the same.
    @Test func seedsAreForever() {
        #expect(numbers(0, 3) == numbers(0, 5).prefix(3).map { $0 })
        #expect(numbers(1, 8) != numbers(2, 8))
    }
}
