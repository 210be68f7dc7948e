/// Where to find a layer with a bias in the float and in the quantized model.
package struct QuantizedLayer: Sendable {
  /// The result, bias included, in the float model; where a clamp behind the layer was absorbed, what that computes.
  package let floatOutput: String
  /// The bounds of the clamp that was absorbed, nil where there is none.
  package let clamp: ClosedRange<Float>?
  /// The same in the quantized model, before it is quantized.
  package let output: String
  /// The constant that holds the bias, int32 codes or float32.
  package let bias: String
  /// The scale of each code of the bias, or one for all; nil where the bias is float32.
  package let biasScales: [Float]?
  /// The number of output channels.
  package let channels: Int
  /// Whether channels lie along the last axis of the result, rather than along the second.
  package let channelsAreLast: Bool
}
