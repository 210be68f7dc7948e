import Graphs
import NumberFormats

/// A weight's codes as constants of the quantized graph.
struct StoredWeight {
  /// The names of codes, scales, and zero points where not all are 0.
  let names: [String]
  /// What a DequantizeLinear that reads them is to know.
  let attributes: [String: AttributeValue]

  /// What makes weights alike, so that they are stored once.
  struct Key: Hashable {
    let name: String
    /// What is stored, with the axis in the float weight.
    let scheme: QuantizationScheme
    let estimator: RangeEstimatorChoice
    /// Scales and zero points, where they are known already; nil for those of the estimator.
    var parameters: QuantizationParameters?
    /// Whether rows and columns are exchanged.
    var isTransposed = false
  }
}
