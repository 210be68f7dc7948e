import Graphs
import Tensors
import Testing

@Suite struct FoldChannelArithmeticTests {
  let pass: [any GraphPass] = [FoldChannelArithmetic()]
  let values = Tensor([Float(1), 2, 3, 4], shape: [1, 4, 1, 1])

  @Test func givenResult() throws {
    let model = try example(
      [
        Node("Conv", inputs: ["x", "W"], outputs: ["c"]),
        Node("Add", inputs: ["c", "B"], outputs: ["y"]),
      ], constants: ["W": exampleWeights, "B": values]
    ).applying(pass)
    #expect(model.lines == ["y = Conv(x, W, W_bias)"])
    #expect(model.floats("W_bias") == [1, 2, 3, 4])
  }

  @Test(
    arguments: [
      ("Mul", 0, Float(2), Float(6)), ("Mul", 1, 2, 6), ("Add", 0, 1, 5), ("Sub", 0, 1, 1),
      ("Sub", 1, -1, -1), ("Div", 0, 0.5, 1.5),
    ] as [(String, Int, Float, Float)])
  func everyOperator(operation: String, side: Int, weight: Float, bias: Float) throws {
    let model = try example(
      [
        Node("Conv", inputs: ["x", "W", "b"], outputs: ["c"]),
        Node(
          OperatorName(operation), inputs: side == 0 ? ["c", "two"] : ["two", "c"], outputs: ["y"]),
      ],
      constants: [
        "W": Tensor([Float(1)], shape: [1, 1, 1, 1]), "b": Tensor([Float(3)]),
        "two": Tensor(scalar: Float(2)),
      ]
    ).applying(pass)
    #expect(model.graph.nodes.count == 1)
    #expect(model.floats(model.graph.nodes[0].inputs[1]) == [weight])
    #expect(model.floats(model.graph.nodes[0].inputs[2]) == [bias])
  }

  @Test func chainsFoldWhole() throws {
    let model = try example(
      [
        Node("Conv", inputs: ["x", "W"], outputs: ["c"]),
        Node("Mul", inputs: ["c", "B"], outputs: ["d"]),
        Node("Add", inputs: ["B", "d"], outputs: ["y"]),
      ], constants: ["W": exampleWeights, "B": values]
    ).applying(pass)
    #expect(model.graph.nodes.count == 1)
    #expect(model.graph.nodes[0].outputs == ["y"])
  }

  @Test func whatVariesElsewhereStays() throws {
    let spatial = Tensor([Float(1), 2, 3, 4], shape: [4])
    let model = try example(
      [
        Node("Conv", inputs: ["x", "W"], outputs: ["c"]),
        Node("Add", inputs: ["c", "B"], outputs: ["y"]),
      ], constants: ["W": exampleWeights, "B": spatial]
    ).applying(pass)
    #expect(model.graph.nodes.count == 2)
  }

  @Test func divisionByZeroStays() throws {
    let model = try example(
      [
        Node("Conv", inputs: ["x", "W"], outputs: ["c"]),
        Node("Div", inputs: ["c", "B"], outputs: ["y"]),
      ], constants: ["W": exampleWeights, "B": Tensor(scalar: Float(0))]
    ).applying(pass)
    #expect(model.graph.nodes.count == 2)
  }
}
