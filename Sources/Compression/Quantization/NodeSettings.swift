import NumberFormats

/// What a recipe asks for one node.
struct NodeSettings: Sendable {
  /// How the node is to be computed.
  enum Mode: Sendable {
    case float, integer, dynamic, weightOnly
  }

  var mode: Mode
  var weights: TensorSettings
  var activations: TensorSettings
  /// Why the node is to stay float; empty where it is not.
  var reason = ""
}

/// How the numbers of one tensor become codes.
struct TensorSettings: Sendable, Hashable {
  var code: CodeType
  var granularity: Granularity.Kind
  var mapping: Mapping
  var scaleType: ScaleType = .float32

  /// The scheme for a tensor whose channels and groups lie along the given axes.
  func scheme(channelAxis: Int = 0, groupAxis: Int = 0) throws -> QuantizationScheme {
    let granularity: Granularity =
      switch self.granularity {
      case .perTensor: .perTensor
      case .perChannel: .perChannel(axis: channelAxis)
      case .perGroup(let size): .perGroup(size: size, axis: groupAxis)
      case .perBlock(let rows, let columns): .perBlock(rows: rows, columns: columns)
      }
    return try QuantizationScheme(code, granularity, mapping, scaleType: scaleType)
  }
}
