import Tensors

extension PackedLayout {
  /// ONNX's own tensors, for `DequantizeLinear`: codes in the smallest type that holds them, those of 2 and 4 bits packed
  /// with the first in the lowest bits; scales and zero points of the same shape.
  ///
  /// Zero points are always given. Codes of 3 bits become 4-bit elements, of 5 to 7 bits bytes, of 1 bit 2-bit elements.
  public static let onnx = PackedLayout(
    name: "onnx",
    explanation: "Tensors of DequantizeLinear: int2 to uint16, scales, zero points.",
    check: { scheme, shape in
      guard scheme.code.onnxType != nil else {
        throw NumberFormatError(
          .unsupportedLayout, "ONNX has no type for \(scheme.code); use integer codes")
      }
      guard scheme.granularity.isONNX else {
        throw NumberFormatError(
          .unsupportedLayout,
          "DequantizeLinear can't hold \(scheme.granularity); use perTensor, perChannel or perGroup"
        )
      }
      _ = try scheme.granularity.scaleShape(of: shape)
    },
    pack: { tensor in
      let type = try onnxType(of: tensor.scheme)
      return Parts(
        codes: type.bitWidth < 8 ? SubByteCodes.packed(tensor.codes, as: type) : tensor.codes,
        scales: tensor.parameters.scaleTensor(tensor.scheme.scaleType),
        zeroPoints: try tensor.parameters.zeroPointTensor(type))
    },
    unpack: { parts, scheme, shape in
      let type = try onnxType(of: scheme)
      guard parts.codes.elementType == type, parts.codes.shape == shape else {
        throw NumberFormatError(
          .mismatch, "codes are \(parts.codes); must be \(type)\(shape)")
      }
      let codes = type.bitWidth < 8 ? SubByteCodes.unpacked(parts.codes) : parts.codes
      let parameters = try QuantizationParameters(
        scales: parts.scales, zeroPoints: parts.zeroPoints)
      return try QuantizedTensor(codes: codes, scheme: scheme, parameters: parameters)
    })
}

extension Granularity {
  /// Whether ONNX's `axis` and `block_size` can say it.
  fileprivate var isONNX: Bool {
    self.kind == .perTensor || axis != nil
  }
}

private func onnxType(of scheme: QuantizationScheme) throws -> ElementType {
  guard let type = scheme.code.onnxType else {
    throw NumberFormatError(.unsupportedLayout, "ONNX has no type for \(scheme.code)")
  }
  return type
}
