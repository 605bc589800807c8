import CMovie
import TestSupport
import Testing

@testable import Embedding

/// The functions of movie.h, and what wrong arguments give.
@Suite struct EmbeddingFunctionTests {
    private func withEditor(_ body: (OpaquePointer) throws -> Void) throws {
        let editor = try #require(movie_create(testModel, 2, nil, 0))
        defer { movie_destroy(editor) }
        try body(editor)
    }

    private func sentence(_ editor: OpaquePointer) -> String { movie_error(editor).map { String(cString: $0) } ?? "" }

    /// Edits a grey picture of 64 x 64 in `format`, whose first plane's rows have `stride` bytes.
    private func edit(_ editor: OpaquePointer, stride: Int, bytes: Int) -> (status: Int32, pixels: [UInt8]) {
        var pixels = [UInt8](repeating: 90, count: bytes)
        let status = pixels.withUnsafeMutableBytes { buffer in
            let base = buffer.baseAddress
            let planes = [base, base?.advanced(by: stride * 64), base?.advanced(by: stride * 80)]
            return movie_edit(
                editor, planes.map { UnsafeRawPointer($0) }, [stride, stride / 2, stride / 2], planes,
                [stride, stride / 2, stride / 2])
        }
        return (status, pixels)
    }

    @Test func plansAndEdits() throws {
        try withEditor { editor in
            #expect(movie_plan(editor, testPrompt, nil, 64, 64, MOVIE_FORMAT_RGB) == 0)
            let first = edit(editor, stride: 192, bytes: 192 * 64)
            #expect(first.status == 0 && Set(first.pixels).count > 1 && sentence(editor).isEmpty)
            var options = movie_options()  // as a program of the first version gives them
            options.size = 32
            options.guidance_scale = 12
            options.stability = .nan
            #expect(movie_plan(editor, testPrompt, &options, 64, 64, MOVIE_FORMAT_RGB) == 0)
            #expect(edit(editor, stride: 192, bytes: 192 * 64).pixels != first.pixels)
            options.size = MemoryLayout<movie_options>.size
            #expect(movie_plan(editor, testPrompt, &options, 64, 64, MOVIE_FORMAT_RGB) == -1)
            #expect(sentence(editor) == "the stability is nan; give 0 (off) to 1 (the most)")
            options.stability = 0.5
            options.rolling_anchor = 1
            #expect(movie_plan(editor, testPrompt, &options, 64, 64, MOVIE_FORMAT_RGB) == 0)
            let whole = edit(editor, stride: 192, bytes: 192 * 64)
            #expect(whole.status == 0 && whole.pixels != first.pixels)
            #expect(movie_plan(editor, testPrompt, nil, 64, 64, MOVIE_FORMAT_I420) == 0)
            #expect(edit(editor, stride: 64, bytes: 64 * 96).status == 0)
        }
    }

    @Test func wrongArgumentsAreSentences() throws {
        var text = [CChar](repeating: 1, count: 24)
        #expect(movie_create("/nowhere", 2, &text, 24) == nil)
        #expect(String(cString: text) == "there is no model folde", "cut to the buffer")
        #expect(movie_create(testModel, 257, nil, 0) == nil)
        #expect(movie_plan(nil, "x", nil, 64, 64, MOVIE_FORMAT_RGB) == -1 && movie_error(nil) == nil)
        movie_destroy(nil)
        try withEditor { editor in
            #expect(edit(editor, stride: 192, bytes: 192 * 64).status == -1)
            #expect(sentence(editor) == "a frame came before movie_plan")
            #expect(movie_plan(editor, "x", nil, 63, 64, MOVIE_FORMAT_RGB) == -1)
            #expect(sentence(editor).contains("must be even"))
            #expect(movie_plan(editor, nil, nil, 64, 64, MOVIE_FORMAT_RGB) == -1)
            #expect(sentence(editor).contains("the prompt is empty"))
            #expect(movie_plan(editor, "x", nil, 64, 64, movie_format(rawValue: 8)) == -1)
            #expect(sentence(editor) == "the format is 8; it must be one of movie_format, 0 to 7")
            var options = movie_options()
            options.size = 8
            #expect(movie_plan(editor, "x", &options, 64, 64, MOVIE_FORMAT_RGB) == -1)
            #expect(sentence(editor).contains("sizeof(movie_options)"))
            #expect(movie_plan(editor, "x", nil, 64, 64, MOVIE_FORMAT_RGB) == 0)
            #expect(edit(editor, stride: 190, bytes: 192 * 64).status == -1)
            #expect(movie_edit(editor, nil, nil, nil, nil) == -1 && sentence(editor).contains("a plane is NULL"))
        }
    }
}
