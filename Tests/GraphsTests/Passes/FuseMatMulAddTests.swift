import Graphs
import Tensors
import Testing

@Suite struct FuseMatMulAddTests {
  let pass: [any GraphPass] = [FuseMatMulAdd()]

  func model(rank: Int, bias: Shape = [3], value: Float = 1) throws -> Model {
    try example(
      [
        Node("MatMul", inputs: ["x", "W"], outputs: ["a"]),
        Node("Add", inputs: ["b", "a"], outputs: ["y"]),
      ],
      x: ValueType(.float32, Array(repeating: 2, count: rank)),
      constants: [
        "W": Tensor((1...6).map { Float($0) }, shape: [2, 3]),
        "b": Tensor([Float](repeating: value, count: bias.count), shape: bias),
      ]
    ).applying(pass)
  }

  @Test func givenResult() throws {
    #expect(try model(rank: 2).lines == ["y = Gemm(x, W, b)"])
  }

  @Test func biasWithLeadingOne() throws {
    #expect(try model(rank: 2, bias: [1, 3]).lines == ["y = Gemm(x, W, b_vector)"])
  }

  @Test func moreAxesStay() throws { #expect(try model(rank: 3).graph.nodes.count == 2) }

  @Test(arguments: [-Float.infinity, .infinity, .nan]) func masksStay(_ value: Float) throws {
    #expect(try model(rank: 2, value: value).graph.nodes.count == 2)
  }

  @Test func biasPerRowStays() throws {
    #expect(try model(rank: 2, bias: [2, 3]).graph.nodes.count == 2)
  }
}
