import Execution
import Graphs
import Tensors
import Testing

@testable import Compression

@Suite struct ModelRaiseOpsetTests {
  func model(_ node: Node, outputs: [String] = ["y"], opset: Int = 13) -> Model {
    Model(
      Graph(
        nodes: [node], inputs: [.init("x", ValueType(.float32, [2, 4, 4]))],
        outputs: outputs.map { .init($0, ValueType(.float32, nil)) }), opset: opset)
  }

  @Test func meaningStays() throws {
    let x = ["x": Tensor((0..<32).map { Float($0) }, shape: [2, 4, 4])]
    let nodes = [
      Node("ReduceMax", inputs: ["x"], outputs: ["y"], attributes: ["axes": .ints([1])]),
      Node("ReduceMean", inputs: ["x"], outputs: ["y"]),
      Node("Split", inputs: ["x"], outputs: ["y", "z"], attributes: ["axis": .int(1)]),
      Node("Relu", inputs: ["x"], outputs: ["y"]),
    ]
    for node in nodes {
      let before = model(node)
      var after = before
      try after.raiseOpset(to: 21, because: "of this test")
      #expect(after.opset == 21)
      let (a, b) = (try Interpreter(before).run(x)["y"]!, try Interpreter(after).run(x)["y"]!)
      #expect(a.isIdentical(to: b), "\(node.operation)")
    }
  }

  @Test func whatChangedIsRefused() {
    var grouped = model(Node("GridSample", name: "g", inputs: ["x", "x"], outputs: ["y"]))
    let error = #expect(throws: QuantizationError.self) {
      try grouped.raiseOpset(to: 21, because: "4-bit codes need it")
    }
    #expect(
      error?.description
        == "g: GridSample changed in version 20 of ONNX's operators, 21 is needed because 4-bit codes "
        + "need it; use 8-bit codes per tensor or channel, or bring the model to version 21 first")
    #expect(grouped.opset == 13)
  }

  @Test func laterVersionsAreLeftAlone() throws {
    var late = model(Node("Relu", inputs: ["x"], outputs: ["y"]), opset: 23)
    try late.raiseOpset(to: 21, because: "of this test")
    #expect(late.opset == 23)
  }
}
