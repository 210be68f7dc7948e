import Graphs
import NumberFormats
import Tensors

extension QuantizationPlan {
  /// The version of ONNX's operators that the planned codes need beyond 13, nil where 13 will do.
  ///
  /// Codes of 8 bits per tensor and channel came with 13; 4 and 16 bits and groups with 21; 2 bits with 25.
  var requiredOpset: Int? {
    let schemes = entries.compactMap(\.weights) + values.values.map(\.scheme)
    return schemes.compactMap { scheme -> Int? in
      let width = scheme.code.onnxType?.bitWidth ?? 8
      if width == 2 { return 25 }
      return width != 8 || scheme.granularity.groupSize != nil ? 21 : nil
    }.max()
  }
}
