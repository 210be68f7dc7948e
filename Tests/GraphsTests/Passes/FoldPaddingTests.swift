import Graphs
import Tensors
import Testing

@Suite struct FoldPaddingTests {
  let pass: [any GraphPass] = [FoldPadding()]

  func padded(_ pads: [Int64], value: Float? = nil, own: [Int]? = nil) throws -> Model {
    var constants: [String: Tensor] = ["W": exampleWeights, "p": Tensor(pads)]
    constants["v"] = value.map { Tensor(scalar: $0) }
    return try example(
      [
        Node("Pad", inputs: ["x", "p"] + (value == nil ? [] : ["v"]), outputs: ["a"]),
        Node(
          "Conv", inputs: ["a", "W"], outputs: ["y"],
          attributes: own.map { ["pads": .ints($0)] } ?? [:]),
      ], constants: constants
    ).applying(pass)
  }

  @Test func givenResult() throws {
    let model = try padded([0, 0, 1, 2, 0, 0, 3, 4])
    #expect(model.lines == ["y = Conv(x, W)"])
    guard case .ints(let pads)? = model.graph.nodes[0].attributes["pads"] else {
      Issue.record("no pads")
      return
    }
    #expect(pads == [1, 2, 3, 4])
  }

  @Test func addsToTheConvolutionsOwn() throws {
    let model = try padded([0, 0, 1, 1, 0, 0, 1, 1], value: 0, own: [0, 1, 2, 3])
    guard case .ints(let pads)? = model.graph.nodes[0].attributes["pads"] else {
      Issue.record("no pads")
      return
    }
    #expect(pads == [1, 2, 3, 4])
  }

  @Test(
    arguments: [
      ([0, 1, 1, 1, 0, 0, 1, 1], 0), ([0, 0, -1, 1, 0, 0, 1, 1], 0),
      ([0, 0, 1, 1, 0, 0, 1, 1], 0.5),
    ] as [([Int64], Float)])
  func otherPaddingsStay(pads: [Int64], value: Float) throws {
    #expect(try padded(pads, value: value).graph.nodes.count == 2)
  }
}
