import Graphs
import Tensors
import Testing

@Suite struct RemoveUnusedTests {
  @Test func givenResult() throws {
    let model = try example(
      [
        Node("Relu", inputs: ["x"], outputs: ["y"]), Node("Exp", inputs: ["x"], outputs: ["z"]),
      ], constants: ["unused": Tensor(scalar: Float(1))]
    ).applying([RemoveUnused()])
    #expect(model.lines == ["y = Relu(x)"])
    #expect(model.graph.constants.isEmpty)
  }
}
