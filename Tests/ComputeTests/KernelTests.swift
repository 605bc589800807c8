import CKernelChecks
import CKernels
import Testing

/// Every kernel of kernels.inc on every generation of processors, against its scalar twin, bit for bit.
@Suite struct KernelTests {
    struct Case: CustomTestStringConvertible {
        let kernel: Int32
        let isa: movie_isa
        var testDescription: String {
            "\(String(cString: movie_check_name(kernel))) \(String(cString: movie_isa_name(isa)))"
        }
    }

    static let cases = [MOVIE_ISA_SCALAR, MOVIE_ISA_AVX2, MOVIE_ISA_AVX512VNNI]
        .filter { $0.rawValue <= movie_isa_best().rawValue }
        .flatMap { isa in (0..<movie_check_count()).map { Case(kernel: $0, isa: isa) } }

    @Test(arguments: cases) func agreesWithScalar(_ check: Case) {
        let outcome = movie_check_run(check.kernel, Int32(check.isa.rawValue))
        #expect(outcome == 0, outcome == 2 ? "wrote outside its memory" : "differs")
    }

    @Test(.enabled(if: movie_isa_best() == MOVIE_ISA_AVX512VNNI, "this processor has no AVX-512 VNNI"))
    func everyGenerationIsCovered() {
        #expect(Self.cases.count == 3 * Int(movie_check_count()) && movie_check_count() > 25)
    }

    @Test func unknownGenerationsAreRefused() {
        #expect(movie_isa_name(movie_isa(rawValue: 99)) == nil)
        #expect(movie_isa_select(movie_isa(rawValue: 99)) == -1)
    }
}
