extension QuantizationScheme {
  /// A scheme with a name, for weights laid out `[outputs, inputs, …]` or for activations.
  public struct Preset: Sendable {
    /// The name, unique among the presets.
    public let name: String
    /// What it is for, one sentence.
    public let explanation: String
    /// The scheme.
    public let scheme: QuantizationScheme

    init?(
      _ name: String, _ code: CodeType, _ granularity: Granularity, _ mapping: Mapping,
      scaleType: ScaleType = .float32, _ explanation: String
    ) {
      guard
        let scheme = try? QuantizationScheme(code, granularity, mapping, scaleType: scaleType)
      else { return nil }
      (self.name, self.explanation, self.scheme) = (name, explanation, scheme)
    }
  }

  /// The schemes that have names. The one place to register another.
  public static let all: [Preset] = [
    Preset(
      "uint8", .uint8, .perTensor, .affine,
      "Activations of static INT8: what ONNX Runtime runs fastest with int8 weights."),
    Preset("int8", .int8, .perTensor, .symmetric, "Weights of INT8, one scale in all."),
    Preset(
      "int8-affine", .int8, .perTensor, .affine, "Activations of static INT8 in signed codes."),
    Preset(
      "int8-per-channel", .int8, .perChannel(axis: 0), .symmetric,
      "Weights of INT8, one scale per output."),
    Preset(
      "int7-per-channel", .signed(bits: 7), .perChannel(axis: 0), .symmetric,
      "Weights of INT8 with reduced range, for processors that add pairs of products in 16 bits."),
    Preset("uint16", .uint16, .perTensor, .affine, "Activations of 16 bits."),
    Preset("int16", .int16, .perTensor, .symmetric, "Activations of 16 bits, zero in the middle."),
    Preset(
      "int4-per-channel", .int4, .perChannel(axis: 0), .symmetric,
      "Weights of 4 bits, one scale per output."),
    Preset(
      "int4-group32", .int4, .perGroup(size: 32, axis: 1), .symmetric,
      "Weights of 4 bits, one scale per 32 inputs of an output."),
    Preset(
      "int4-group128", .int4, .perGroup(size: 128, axis: 1), .symmetric,
      "Weights of 4 bits, one scale per 128 inputs of an output."),
    Preset(
      "uint4-group32", .uint4, .perGroup(size: 32, axis: 1), .affine,
      "Weights of 4 bits with zero points, one scale per 32 inputs of an output."),
    Preset(
      "uint4-group128", .uint4, .perGroup(size: 128, axis: 1), .affine,
      "Weights of 4 bits with zero points, one scale per 128 inputs of an output."),
    Preset(
      "uint2-group32", .unsigned(bits: 2), .perGroup(size: 32, axis: 1), .affine,
      "Weights of 2 bits with zero points, one scale per 32 inputs of an output."),
    Preset(
      "int8-block128", .int8, .perBlock(rows: 128, columns: 128), .symmetric,
      "Weights of 8 bits, one scale per tile of 128 by 128."),
    Preset(
      "pow2_4-per-channel", .powerOfTwo(bits: 4), .perChannel(axis: 0), .symmetric,
      "Weights of a sign and a 3-bit exponent: products become shifts."),
  ].compactMap { $0 }
}
