import Execution
import Graphs
import Tensors

/// The outputs of one operator for the given inputs; nil leaves one out.
func apply(
  _ operation: OperatorName, _ inputs: [Tensor?],
  _ attributes: [String: AttributeValue] = [:], outputCount: Int = 1, opset: Int = 21
) throws -> [Tensor] {
  let names = inputs.enumerated().map { $1 == nil ? "" : "x\($0)" }
  let results = (0..<outputCount).map { "y\($0)" }
  let graph = Graph(
    nodes: [
      Node(operation, name: "node", inputs: names, outputs: results, attributes: attributes)
    ],
    inputs: names.filter { !$0.isEmpty }.map { .init($0, ValueType(nil, nil)) },
    outputs: results.map { .init($0, ValueType(nil, nil)) })
  var model = Model(graph, opset: opset)
  model.opsets["com.microsoft"] = 1
  let given = zip(names, inputs).compactMap { name, tensor in tensor.map { (name, $0) } }
  let found = try Interpreter(model).run(Dictionary(uniqueKeysWithValues: given))
  return results.map { found[$0]! }
}

/// The only output of one operator.
func applySingle(
  _ operation: OperatorName, _ inputs: [Tensor?],
  _ attributes: [String: AttributeValue] = [:], opset: Int = 21
) throws -> Tensor {
  try apply(operation, inputs, attributes, opset: opset)[0]
}

/// The text of the error that `body` throws.
func message(of body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}

/// The numbers 0, 1, 2, … in the given shape.
func counting(_ shape: Shape) -> Tensor {
  Tensor((0..<shape.count).map { Float($0) }, shape: shape)
}

/// A list of int64.
func list(_ numbers: Int...) -> Tensor { Tensor(numbers.map { Int64($0) }) }
