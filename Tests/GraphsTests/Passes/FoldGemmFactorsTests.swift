import Graphs
import Tensors
import Testing

@Suite struct FoldGemmFactorsTests {
  let pass: [any GraphPass] = [FoldGemmFactors()]
  let matrix = Tensor((1...6).map { Float($0) }, shape: [2, 3])
  let factors: [String: AttributeValue] = ["alpha": .float(0.5), "beta": .float(2)]

  @Test func givenResult() throws {
    let model = try example(
      [Node("Gemm", inputs: ["x", "B", "C"], outputs: ["y"], attributes: factors)],
      constants: ["B": matrix, "C": Tensor(scalar: Float(3))]
    ).applying(pass)
    #expect(model.lines == ["y = Gemm(x, B_folded, C_folded)"])
    #expect(model.floats("B_folded") == [0.5, 1, 1.5, 2, 2.5, 3])
    #expect(model.floats("C_folded") == [6, 6, 6])
    #expect(model.graph.nodes[0].attributes.isEmpty)
  }

  @Test func plainGemmKeepsItsConstants() throws {
    let model = try example(
      [Node("Gemm", inputs: ["x", "B", "C"], outputs: ["y"])],
      constants: ["B": matrix, "C": Tensor([Float(3), 4, 5])]
    ).applying(pass)
    #expect(model.lines == ["y = Gemm(x, B, C)"])
  }

  @Test func inputIsTransposedBefore() throws {
    let model = try example(
      [Node("Gemm", inputs: ["x", "B"], outputs: ["y"], attributes: ["transA": .int(1)])],
      constants: ["B": matrix]
    ).applying(pass)
    #expect(model.lines == ["y_transposed = Transpose(x)", "y = Gemm(y_transposed, B)"])
    #expect(model.graph.nodes[1].attributes.isEmpty)
  }

  @Test func biasByRowStays() throws {
    let model = try example(
      [Node("Gemm", inputs: ["x", "B", "C"], outputs: ["y"], attributes: factors)],
      constants: ["B": matrix, "C": Tensor([Float(3), 4], shape: [2, 1])]
    ).applying(pass)
    #expect(model.lines == ["y = Gemm(x, B, C)"])
    #expect(model.graph.nodes[0].attributes.count == 2)
  }
}
