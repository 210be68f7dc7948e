import Graphs
import Tensors
import Testing

@Suite struct FuseActivationsTests {
  let pass: [any GraphPass] = [FuseActivations()]

  func fused(_ activation: Node, _ constants: [String: Tensor] = [:]) throws -> Model {
    try example(
      [Node("Conv", inputs: ["x", "W"], outputs: ["c"]), activation],
      constants: constants.merging(["W": exampleWeights]) { $1 }
    ).applying(pass)
  }

  @Test func givenResult() throws {
    let model = try fused(Node("Relu", inputs: ["c"], outputs: ["y"]))
    #expect(model.lines == ["y = com.microsoft.FusedConv(x, W)"])
    #expect(model.opsets["com.microsoft"] == 1)
    guard case .string("Relu")? = model.graph.nodes[0].attributes["activation"] else {
      Issue.record("no activation")
      return
    }
  }

  @Test func clipBringsItsBounds() throws {
    let model = try fused(
      Node("Clip", inputs: ["c", "", "six"], outputs: ["y"]), ["six": Tensor(scalar: Float(6))])
    guard case .floats(let bounds)? = model.graph.nodes[0].attributes["activation_params"] else {
      Issue.record("no parameters")
      return
    }
    #expect(bounds == [-.infinity, 6])
  }

  @Test func clipBetweenComputedBoundsStays() throws {
    #expect(
      try fused(Node("Clip", inputs: ["c", "x"], outputs: ["y"])).graph.nodes.count == 2)
  }

  @Test func otherActivationsStay() throws {
    let model = try fused(Node("HardSwish", inputs: ["c"], outputs: ["y"]))
    #expect(model.graph.nodes.count == 2)
    #expect(model.opsets["com.microsoft"] == nil)
  }
}
