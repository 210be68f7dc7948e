import Graphs
import Tensors
import Testing

@Suite struct SplitSumsTests {
  private func sum(of inputs: [String]) throws -> Model {
    try example(
      [
        Node("Relu", inputs: ["x"], outputs: ["y_1"]),
        Node("Sum", name: "total", inputs: inputs, outputs: ["y"]),
      ], outputs: ["y", "y_1"]
    ).applying([SplitSums()])
  }

  @Test func twoValuesBecomeOneAddition() throws {
    #expect(try sum(of: ["x", "y_1"]).lines == ["y_1 = Relu(x)", "y = Add(x, y_1)"])
  }

  @Test func moreValuesAreAddedInTheirOrder() throws {
    let model = try sum(of: ["x", "y_1", "x", "y_1"])
    #expect(
      model.lines == [
        "y_1 = Relu(x)", "y_1_1 = Add(x, y_1)", "y_2 = Add(y_1_1, x)", "y = Add(y_2, y_1)",
      ])
    #expect(model.graph.nodes.map(\.name) == ["", "total_1", "total_2", "total"])
  }

  @Test func oneValueStays() throws {
    #expect(try sum(of: ["x"]).lines == ["y_1 = Relu(x)", "y = Sum(x)"])
  }
}
