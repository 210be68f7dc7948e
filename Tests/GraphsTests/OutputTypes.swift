import Graphs
import Tensors

/// The types that an operator's shape rule gives, written as text: `float32[N, 3]`.
func outputTypes(
  _ operation: OperatorName, _ inputs: [ValueType?],
  _ attributes: [String: AttributeValue] = [:], outputs: Int = 1, opset: Int = 22,
  constants: [Int: Tensor] = [:]
) throws -> [String] {
  let node = Node(
    operation, name: "node", inputs: inputs.indices.map { "in\($0)" },
    outputs: (0..<outputs).map { "out\($0)" }, attributes: attributes)
  let decoded = try Operators.decode(node, opsets: ["": opset, "com.microsoft": 1])
  let types = try decoded.outputTypes(
    OperatorInputs(
      types: inputs, constants: inputs.indices.map { constants[$0] }, outputCount: outputs))
  return types.prefix(outputs).map(\.description)
}

/// The message of the error that decoding a node or its shape rule ends in; empty where it ends well.
func typeProblem(
  _ operation: OperatorName, _ inputs: [ValueType?],
  _ attributes: [String: AttributeValue] = [:], outputs: Int = 1, opset: Int = 22
) -> String {
  do {
    _ = try outputTypes(operation, inputs, attributes, outputs: outputs, opset: opset)
    return ""
  } catch {
    return "\(error)"
  }
}

/// A float32 value of the given axes.
func float(_ dimensions: Dimension...) -> ValueType { ValueType(.float32, dimensions) }

/// A value of which nothing is known.
let anything = ValueType(nil, nil)
