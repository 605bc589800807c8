import Compute
import Foundation

/// What the processor lends the networks.
public enum Engine {
    /// Throws when the variable MOVIED_ISA asks for kernels that there are none of, or that this processor cannot run.
    public static func check() throws {
        guard let wanted = ProcessInfo.processInfo.environment["MOVIED_ISA"], !wanted.isEmpty else { return }
        let known = KernelLevel.names
        guard known.contains(wanted) else {
            throw ServiceError("MOVIED_ISA is '\(wanted)'; it must be \(known.joined(separator: ", ")) or unset")
        }
        guard KernelLevel.current == wanted else {
            throw ServiceError(
                "MOVIED_ISA asks for \(wanted), which this processor cannot run: it has \(KernelLevel.best) at most; "
                    + "unset it")
        }
    }
}
