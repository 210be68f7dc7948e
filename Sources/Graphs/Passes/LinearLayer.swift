package import Tensors

/// A node that multiplies its input by constant float32 weights and may add a constant bias: Conv, ConvTranspose, Gemm, MatMul.
///
/// Passes, equalization and quantizers see all four alike through it.
package struct LinearLayer: Sendable {
  /// The node as it stands in the graph.
  package let node: Node
  /// The name of the weight constant.
  package let weightName: String
  package let weight: Tensor
  /// The name of the bias constant, nil where the layer has none.
  package let biasName: String?
  package let bias: Tensor?
  /// The weights by output channel.
  package let outputs: ChannelLayout
  /// The weights by input channel.
  package let inputs: ChannelLayout
  /// The axis of the weights that output channels lie along.
  package let channelAxis: Int
  /// The number of groups of a convolution, else 1.
  package let groups: Int

  /// The operators that can be linear layers.
  package static let operations: Set<OperatorName> = ["Conv", "ConvTranspose", "Gemm", "MatMul"]

  /// The layer that a node is, or nil: another operator, weights or bias that are not constant float32, or a matrix product
  /// with a first operand that is transposed, a second one that is no matrix, or factors other than 1.
  package init?(_ node: Node, constants: [String: Tensor]) {
    guard LinearLayer.operations.contains(node.operation), let weightName = node.input(1),
      let weight = constants[weightName], weight.elementType == .float32, weight.shape.rank >= 2,
      let layouts = LinearLayer.layouts(node, weight.shape)
    else { return nil }
    let biasName = node.operation == "MatMul" ? nil : node.input(2)
    let bias = biasName.flatMap { constants[$0] }
    if biasName != nil {
      guard let bias, bias.elementType == .float32, bias.shape == [layouts.outputs.count] else {
        return nil
      }
    }
    self.node = node
    self.weightName = weightName
    self.weight = weight
    self.biasName = biasName
    self.bias = bias
    (outputs, inputs, channelAxis, groups) = layouts
  }

  private typealias Layouts = (
    outputs: ChannelLayout, inputs: ChannelLayout, channelAxis: Int, groups: Int
  )

  private static func layouts(_ node: Node, _ shape: Shape) -> Layouts? {
    if node.operation == "Conv" || node.operation == "ConvTranspose" {
      let groups = node.integer("group", default: 1)
      let inner = shape.count(in: 2..<shape.rank)
      guard groups > 0, shape[0] % groups == 0 else { return nil }
      let whole = ChannelLayout(channels: shape[0], inner: shape[1] * inner)
      let grouped = ChannelLayout(
        groups: groups, rows: shape[0] / groups, channels: shape[1], inner: inner)
      return node.operation == "Conv" ? (whole, grouped, 0, groups) : (grouped, whole, 1, groups)
    }
    guard shape.rank == 2 else { return nil }
    let first = ChannelLayout(channels: shape[0], inner: shape[1])
    let last = ChannelLayout(rows: shape[0], channels: shape[1])
    guard node.operation == "Gemm" else { return (last, first, 1, 1) }
    guard node.integer("transA", default: 0) == 0, node.number("alpha", default: 1) == 1,
      node.number("beta", default: 1) == 1
    else { return nil }
    return node.integer("transB", default: 0) == 0 ? (last, first, 1, 1) : (first, last, 0, 1)
  }

  /// Whether each output channel reads one input channel of its own.
  package var isDepthwise: Bool { groups > 1 && inputs.count == groups && outputs.count == groups }
}

extension Node {
  /// An attribute that is an integer, or what it is where it is absent.
  package func integer(_ name: String, default absent: Int) -> Int {
    if case .int(let value) = attributes[name] { value } else { absent }
  }

  /// An attribute that is a number, or what it is where it is absent.
  package func number(_ name: String, default absent: Float) -> Float {
    if case .float(let value) = attributes[name] { value } else { absent }
  }

  /// An attribute that is a list of integers, nil where it is absent.
  package func integers(_ name: String) -> [Int]? {
    if case .ints(let value) = attributes[name] { value } else { nil }
  }

  /// An attribute that is a text, or what it is where it is absent.
  package func text(_ name: String, default absent: String) -> String {
    if case .string(let value) = attributes[name] { value } else { absent }
  }
}
