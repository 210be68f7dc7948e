import Graphs
import Tensors
import Testing

@Suite struct RecurrentOperatorTests {
  static let layers: [(OperatorName, gates: Int, outputs: Int)] = [
    ("RNN", 1, 2), ("GRU", 3, 2), ("LSTM", 4, 3),
  ]

  @Test(arguments: layers.indices) func types(_ index: Int) throws {
    let (name, gates, outputs) = Self.layers[index]
    let x = float("T", "B", 5)
    let w = float(2, .fixed(gates * 6), 5)
    let r = float(2, .fixed(gates * 6), 6)
    var attributes: [String: AttributeValue] = [
      "direction": .string("bidirectional"), "hidden_size": .int(6),
    ]
    let last = [String](repeating: "float32[2, B, 6]", count: outputs - 1)
    #expect(
      try outputTypes(name, [x, w, r], attributes, outputs: outputs)
        == ["float32[T, 2, B, 6]"] + last)
    attributes["layout"] = .int(1)
    #expect(
      try outputTypes(name, [float("B", "T", 5), w, r], attributes) == ["float32[B, T, 2, 6]"])
    #expect(
      typeProblem(name, [x, w, r]).contains("must have 1 directions of \(gates) × 6 rows"))
    attributes["hidden_size"] = .int(7)
    #expect(typeProblem(name, [x, w, r], attributes).contains("'hidden_size' is 7"))
    #expect(
      typeProblem(name, [float("T", "B", 4), w, r], ["direction": .string("bidirectional")])
        .contains("4 inputs against 5"))
    #expect(try outputTypes(name, [anything, anything, anything]).count == 1)
  }

  static let badAttributes: [(String, AttributeValue, String)] = [
    (
      "direction", .string("both"),
      "'direction' is 'both'; known are forward, reverse, bidirectional"
    ),
    ("activations", .strings(["Sigmoid"]), "'activations' has 1 names; must have 3"),
    (
      "activations", .strings(["Sigmoid", "Tanh", "Gelu"]),
      "'activations' has 'Gelu'; known are Relu"
    ),
    ("clip", .float(-1), "'clip' is -1.0; must be 0 or greater"),
    ("hidden_size", .int(0), "'hidden_size' is 0; must be 1 or greater"),
    ("layout", .int(2), "'layout' is 2; must be 0 or 1"),
  ]

  @Test(arguments: badAttributes.indices) func refusesAttributes(_ index: Int) {
    let (name, value, message) = Self.badAttributes[index]
    #expect(typeProblem("LSTM", [anything, anything, anything], [name: value]).contains(message))
  }
}
