import CKernels

/// The nonlinearities that checkpoints name in `act_fn` and `hidden_act`.
public enum Activation: String, Sendable, CaseIterable {
    case identity
    case relu
    case silu
    case gelu
    case quickGELU = "quick_gelu"
    case mish
    case tanh

    /// From a configuration's name; `swish` is silu.
    public init?(configured name: String) {
        switch name {
        case "swish": self = .silu
        default: self.init(rawValue: name)
        }
    }

    var kernel: movie_activation {
        switch self {
        case .identity: MOVIE_IDENTITY
        case .relu: MOVIE_RELU
        case .silu: MOVIE_SILU
        case .gelu: MOVIE_GELU
        case .quickGELU: MOVIE_QUICK_GELU
        case .mish: MOVIE_MISH
        case .tanh: MOVIE_TANH
        }
    }
}
