import Graphs
import Tensors
import Testing

@Suite struct RemoveIdentitiesTests {
  let pass: [any GraphPass] = [RemoveIdentities()]

  @Test func givenResult() throws {
    let model = try example([
      Node("Identity", inputs: ["x"], outputs: ["a"]),
      Node("Dropout", inputs: ["a"], outputs: ["b"]),
      Node("Relu", inputs: ["b"], outputs: ["y"]),
    ]).applying(pass)
    #expect(model.lines == ["y = Relu(x)"])
  }

  @Test func outputsKeepTheirNames() throws {
    let model = try example(
      [
        Node("Relu", inputs: ["x"], outputs: ["a"]),
        Node("Sin", inputs: ["a"], outputs: ["z"]),
        Node("Identity", inputs: ["a"], outputs: ["y"]),
      ], outputs: ["y", "z"]
    ).applying(pass)
    #expect(model.lines == ["y = Relu(x)", "z = Sin(y)"])
  }

  @Test func identityBetweenInputAndOutputStays() throws {
    let nodes = [Node("Identity", inputs: ["x"], outputs: ["y"])]
    #expect(try example(nodes).applying(pass).lines == ["y = Identity(x)"])
  }

  @Test func twoOutputsOfOneValueStay() throws {
    let model = try example(
      [
        Node("Relu", inputs: ["x"], outputs: ["y"]),
        Node("Identity", inputs: ["y"], outputs: ["z"]),
      ], outputs: ["y", "z"]
    ).applying(pass)
    #expect(model.lines == ["y = Relu(x)", "z = Identity(y)"])
  }

  @Test func castTransposePadReshapeThatDoNothing() throws {
    let model = try example(
      [
        Node("Cast", inputs: ["x"], outputs: ["a"], attributes: ["to": .int(1)]),
        Node(
          "Transpose", inputs: ["a"], outputs: ["b"], attributes: ["perm": .ints([0, 1, 2, 3])]),
        Node("Pad", inputs: ["b", "p"], outputs: ["c"]),
        Node("Reshape", inputs: ["c", "s"], outputs: ["d"]),
        Node("Relu", inputs: ["d"], outputs: ["y"]),
      ],
      constants: ["p": Tensor([Int64](repeating: 0, count: 8)), "s": Tensor([Int64(1), 3, 8, 8])],
      types: [
        "a": ValueType(.float32, [1, 3, 8, 8]), "c": ValueType(.float32, [1, 3, 8, 8]),
        "d": ValueType(.float32, [1, 3, 8, 8]),
      ]
    ).applying(pass)
    #expect(model.lines == ["y = Relu(x)"])
    #expect(model.graph.constants.isEmpty)
  }

  @Test func whatDoesSomethingStays() throws {
    let model = try example(
      [
        Node("Cast", inputs: ["x"], outputs: ["a"], attributes: ["to": .int(10)]),
        Node("Transpose", inputs: ["a"], outputs: ["b"]),
        Node("Dropout", inputs: ["b", "", "t"], outputs: ["c"]),
        Node("Dropout", inputs: ["c"], outputs: ["d", "mask"]),
        Node("Where", inputs: ["mask", "d", "d"], outputs: ["y"]),
      ], constants: ["t": Tensor([true])]
    ).applying(pass)
    #expect(model.graph.nodes.count == 5)
  }
}
