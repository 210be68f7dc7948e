import Graphs
import Tensors

/// A model of the given nodes with inputs `x` and outputs named in `outputs`, for the examples of passes.
func example(
  _ nodes: [Node], x: ValueType = ValueType(.float32, [1, 3, 8, 8]), outputs: [String] = ["y"],
  constants: [String: Tensor] = [:], types: [String: ValueType] = [:]
) -> Model {
  Model(
    Graph(
      nodes: nodes, inputs: [.init("x", x)],
      outputs: outputs.map { .init($0, ValueType(.float32, nil)) }, constants: constants,
      valueTypes: types))
}

extension Model {
  /// The nodes as text, for comparing: `y = Conv(x, W)`.
  var lines: [String] {
    graph.nodes.map {
      "\($0.outputs.joined(separator: ", ")) = \($0.operation)(\($0.inputs.joined(separator: ", ")))"
    }
  }

  /// The elements of a float constant.
  func floats(_ name: String) -> [Float] { graph.constants[name]?.elements() ?? [] }
}

/// Convolution weights of four output and three input channels, ascending from 1.
let exampleWeights = Tensor((1...108).map { Float($0) }, shape: [4, 3, 3, 3])
