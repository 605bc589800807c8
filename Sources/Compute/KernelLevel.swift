import CKernels

/// Generations of processors that the kernels are compiled for, by the names that MOVIED_ISA takes.
public enum KernelLevel {
    /// All, ascending.
    public static var names: [String] {
        (0..<MOVIE_ISA_COUNT.rawValue).compactMap { name(movie_isa(rawValue: $0)) }
    }
    /// The one in use.
    public static var current: String { name(movie_isa_current()) ?? "" }
    /// The best that this processor runs.
    public static var best: String { name(movie_isa_best()) ?? "" }

    private static func name(_ isa: movie_isa) -> String? { movie_isa_name(isa).map { String(cString: $0) } }
}
