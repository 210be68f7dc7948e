import Execution
import Graphs
import Tensors

/// Runs one node through the interpreter; nil inputs are left out. Returns its outputs in order.
func runNode(
  _ operation: OperatorName, _ inputs: [Tensor?], _ attributes: [String: AttributeValue] = [:],
  outputs: Int = 1, opset: Int = 22
) throws -> [Tensor] {
  let names = inputs.indices.map { inputs[$0] == nil ? "" : "in\($0)" }
  let results = (0..<outputs).map { "out\($0)" }
  let node = Node(
    operation, name: "node", inputs: names, outputs: results, attributes: attributes)
  let graph = Graph(
    nodes: [node],
    inputs: names.filter { !$0.isEmpty }.map { .init($0, ValueType(nil, nil)) },
    outputs: results.map { .init($0, ValueType(nil, nil)) })
  var model = Model(graph, opset: opset)
  model.opsets["com.microsoft"] = 1
  var feeds: [String: Tensor] = [:]
  for (name, input) in zip(names, inputs) { feeds[name] = input }
  let values = try Interpreter(model).run(feeds)
  return results.map { values[$0]! }
}

/// The message of the error that running a node ends in; empty where it ends well.
func problem(
  _ operation: OperatorName, _ inputs: [Tensor?], _ attributes: [String: AttributeValue] = [:],
  outputs: Int = 1, opset: Int = 22
) -> String {
  do {
    _ = try runNode(operation, inputs, attributes, outputs: outputs, opset: opset)
    return ""
  } catch {
    return "\(error)"
  }
}

/// A float32 tensor.
func floats(_ values: [Float], _ shape: [Int]? = nil) -> Tensor {
  Tensor(values, shape: Shape(shape ?? [values.count]))
}

/// A float32 tensor of seeded numbers around 0.
func randomFloats(_ shape: [Int], seed: UInt64) -> Tensor {
  var generator = SeededGenerator(seed: seed)
  let shape = Shape(shape)
  return Tensor((0..<shape.count).map { _ in Float(generator.normal()) }, shape: shape)
}

extension Tensor {
  /// The elements of a float32 tensor.
  var floats: [Float] { elements(of: Float.self) }

  /// Whether it has the shape and, to within a tolerance relative to the greatest magnitude, the elements of another.
  func isClose(to other: Tensor, tolerance: Float = 1e-5) -> Bool {
    guard shape == other.shape else { return false }
    let scale = other.floats.reduce(Float(1)) { max($0, $1.isFinite ? $1.magnitude : 0) }
    return zip(floats, other.floats).allSatisfy {
      $0 == $1 || ($0.isNaN && $1.isNaN) || ($0 - $1).magnitude <= tolerance * scale
    }
  }
}
