/// What calibration found: which convolutions run on integers, and how their inputs are written.
public struct Quantization: Sendable, Equatable {
    /// The input's levels of every layer that runs on integers, by the layer's name (`unet.conv_in`). Layers that are not
    /// here stay in float.
    public var layers: [String: Quantizer]

    /// A choice of layers.
    public init(layers: [String: Quantizer]) { self.layers = layers }
}
