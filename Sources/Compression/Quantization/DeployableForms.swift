import NumberFormats
import Tensors

/// Which forms of codes runtimes compute with, by what a node is to become: the one place that says so.
///
/// ``QuantizationScheme`` holds whatever makes sense as numbers. A file of it must load and compute alike elsewhere, so that a
/// form no runtime has is refused when the plan is made, before any work.
extension Recipe.Weights {
  /// Why no runtime computes a layer with such weights in that way, or nil where there is one.
  func objection(_ mode: NodeSettings.Mode) -> String? {
    if !type.isLinear {
      return "weights of type \(type) have no operator in ONNX; use int8 or int4"
    }
    switch mode {
    case .float: return nil
    case .integer:
      if type.bitWidth < 3 || type.bitWidth > 8 {
        return "integer layers take weights of 3 to 8 bits, not \(type); use int8, or method "
          + "weightOnly for fewer bits"
      }
      return plain("static") ?? plainScale()
    case .dynamic:
      if type.bitWidth < 3 || type.onnxType?.bitWidth != 8 {
        return "dynamic layers take weights that are stored in 8 bits, not \(type); use int8"
      }
      return plain("dynamic") ?? plainScale()
    case .weightOnly:
      if type.bitWidth > 8 {
        return "weights alone are stored in at most 8 bits, not \(type); use int8 or int4"
      }
      if type.onnxType?.bitWidth == 2, mapping == .affine {
        return
          "ONNX Runtime computes weights of type \(type) with zero points wrong; use 4 bits"
          + (type.bitWidth == 1 ? "" : ", or mapping symmetric")
      }
      if case .perBlock = granularity {
        return "DequantizeLinear has scales per tensor, channel or group, not \(granularity)"
      }
      return plainScale()
    }
  }

  private func plain(_ method: String) -> String? {
    switch granularity {
    case .perTensor, .perChannel: nil
    case .perGroup, .perBlock:
      "integer sums have one scale per output: granularity \(granularity) does not go with method "
        + "\(method); use perChannel or perTensor, or method weightOnly"
    }
  }

  private func plainScale() -> String? {
    scaleType == .float32
      ? nil : "scales of type \(scaleType) don't go with float32 activations; use float32"
  }
}

extension Recipe.Activations {
  /// Why no runtime computes with such activations, or nil where there is one.
  var objection: String? {
    type.isLinear && (type.bitWidth == 8 || type.bitWidth == 16)
      ? nil : "activations have 8 or 16 bits, not \(type); use uint8, int8, uint16 or int16"
  }
}
