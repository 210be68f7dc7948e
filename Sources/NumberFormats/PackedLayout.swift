public import Tensors

/// How the bytes of a quantized tensor lie in a file, whatever they mean.
public struct PackedLayout: Sendable {
  /// The tensors that a file holds for one quantized tensor.
  public struct Parts: Sendable {
    /// The codes.
    public var codes: Tensor
    /// The scales.
    public var scales: Tensor
    /// The zero points; nil where they are what the layout takes for granted.
    public var zeroPoints: Tensor?

    /// Parts that are known.
    public init(codes: Tensor, scales: Tensor, zeroPoints: Tensor?) {
      (self.codes, self.scales, self.zeroPoints) = (codes, scales, zeroPoints)
    }
  }

  /// The name, unique among layouts.
  public let name: String
  /// What the layout is, one sentence.
  public let explanation: String
  let check: @Sendable (QuantizationScheme, Shape) throws -> Void
  let pack: @Sendable (QuantizedTensor) throws -> Parts
  let unpack: @Sendable (Parts, QuantizationScheme, Shape) throws -> QuantizedTensor

  /// Every layout. The one place to register another, which has its file in `Layouts/`.
  public static let all: [PackedLayout] = [.onnx, .matMulNBits]

  /// Throws ``NumberFormatError`` that says why, where a tensor of that shape and scheme can't be held.
  public func requireHolds(_ scheme: QuantizationScheme, _ shape: Shape) throws {
    try located(name) { try check(scheme, shape) }
  }

  /// The bytes of a tensor. Throws as ``requireHolds(_:_:)`` does.
  public func packed(_ tensor: QuantizedTensor) throws -> Parts {
    try requireHolds(tensor.scheme, tensor.shape)
    return try located(name) { try pack(tensor) }
  }

  /// The tensor of the given shape and scheme that the parts hold. Throws ``NumberFormatError`` as ``requireHolds(_:_:)``
  /// does, and where the parts have other types or shapes than the layout asks for.
  public func unpacked(
    _ parts: Parts, scheme: QuantizationScheme, shape: Shape
  ) throws -> QuantizedTensor {
    try requireHolds(scheme, shape)
    return try located(name) { try unpack(parts, scheme, shape) }
  }
}
