import Graphs
public import Tensors

/// How one tensor is held in codes, as a QuantizeLinear or DequantizeLinear says it: `real = scale × (code − zeroPoint)`.
public struct QuantizationSummary: Sendable, Equatable {
  /// The tensor: the constant of codes, or the value that is quantized.
  public let name: String
  /// What a code is.
  public let code: ElementType
  /// How far one scale reaches, as in `per tensor`, `per channel (axis 0)`, `groups of 32 (axis 1)`.
  public let granularity: String
  /// The least and the greatest scale.
  public let scales: ClosedRange<Double>
  /// The least and the greatest zero point.
  public let zeroPoints: ClosedRange<Int>
  /// The numbers that codes stand for, where there is one scale for all.
  public let range: ClosedRange<Double>?

  /// nil where the node is no QuantizeLinear or DequantizeLinear with constant scales.
  init?(_ node: Node, name: String, in graph: Graph) {
    guard ["QuantizeLinear", "DequantizeLinear"].contains(node.operation.type),
      let scale = node.input(1).flatMap({ graph.constants[$0] }), scale.count > 0,
      let scales = Self.bounds(of: scale)
    else { return nil }
    let zeroPoint = node.input(2).flatMap { graph.constants[$0] }
    let codes = graph.constants[node.inputs[0]]
    guard let code = zeroPoint?.elementType ?? codes?.elementType ?? Self.outputType(of: node)
    else { return nil }
    self.name = name
    self.code = code
    self.scales = scales
    let points = zeroPoint.flatMap { $0.elementType.isInteger ? $0.integers() : nil } ?? [0]
    zeroPoints = (points.min() ?? 0)...(points.max() ?? 0)
    granularity = Self.granularity(of: node, scale.shape)
    range =
      scale.count != 1
      ? nil
      : code.integerRange.flatMap { codes in
        let zero = Double(points.first ?? 0)
        let (low, high) = (Double(codes.lowerBound) - zero, Double(codes.upperBound) - zero)
        guard scales.lowerBound > 0, code.bitWidth <= 16 else { return nil }
        return low * scales.lowerBound...high * scales.lowerBound
      }
  }

  private static func outputType(of node: Node) -> ElementType? {
    node.operation.type == "QuantizeLinear" ? .uint8 : nil
  }

  private static func bounds(of scale: Tensor) -> ClosedRange<Double>? {
    guard scale.elementType == .float32 else { return nil }
    let values = scale.elements(of: Float.self).filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else { return nil }
    return Double(low)...Double(high)
  }

  private static func granularity(of node: Node, _ shape: Shape) -> String {
    func integer(_ name: String) -> Int? {
      if case .int(let value)? = node.attributes[name] { return value }
      return nil
    }
    if shape.count == 1 { return "per tensor" }
    let axis = integer("axis") ?? 1
    if let size = integer("block_size"), size > 0 { return "groups of \(size) (axis \(axis))" }
    return "per channel (axis \(axis))"
  }
}

extension Graph {
  /// How constants of codes are to be read, by name.
  func quantizedConstants() -> [String: (summary: QuantizationSummary, dequantized: String)] {
    var found: [String: (summary: QuantizationSummary, dequantized: String)] = [:]
    for node in nodes where node.operation.type == "DequantizeLinear" {
      let name = node.inputs[0]
      guard constants[name] != nil, let summary = QuantizationSummary(node, name: name, in: self)
      else { continue }
      found[name] = (summary, node.outputs[0])
    }
    return found
  }

  /// How values between nodes are quantized, in order.
  func quantizedValues() -> [QuantizationSummary] {
    nodes.filter { $0.operation.type == "QuantizeLinear" }.compactMap { node in
      constants[node.inputs[0]] == nil
        ? QuantizationSummary(node, name: node.inputs[0], in: self) : nil
    }
  }

  /// The scales and zero points that only pairs of quantization read.
  func quantizationParameters() -> Set<String> {
    let types: Set = ["QuantizeLinear", "DequantizeLinear"]
    var (parameters, others): (Set<String>, Set<String>) = ([], [])
    for node in nodes {
      let isPair = types.contains(node.operation.type)
      if isPair { parameters.formUnion(node.inputs.dropFirst()) }
      others.formUnion(isPair ? Array(node.inputs.prefix(1)) : node.inputs)
    }
    return parameters.subtracting(others)
  }
}
