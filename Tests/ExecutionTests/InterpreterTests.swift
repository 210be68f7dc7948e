import Execution
import Graphs
import Tensors
import Testing

@Suite struct InterpreterTests {
  private let any = ValueType(nil, nil)

  /// Two megabytes for x, a and b each; x is given back before y.
  private func interpreter() throws -> Interpreter {
    let graph = Graph(
      nodes: [
        Node("Relu", name: "first", inputs: ["x"], outputs: ["a"]),
        Node("Neg", name: "second", inputs: ["x"], outputs: ["b"]),
        Node("Add", name: "third", inputs: ["a", "b"], outputs: ["y"]),
      ], inputs: [.init("x", any)], outputs: [.init("y", any)])
    return try Interpreter(Model(graph, opset: 21))
  }

  private let x = ["x": Tensor.zeros([1 << 19], .float32)]

  @Test func valuesThatAreNeededNoMoreAreNotCounted() throws {
    var interpreter = try interpreter()
    interpreter.memoryLimit = 6 << 20
    #expect(try interpreter.run(x)["y"]?.count == 1 << 19)
  }

  @Test func refusesMoreThanTheMachineHolds() throws {
    var interpreter = try interpreter()
    interpreter.memoryLimit = 5 << 20
    let text = message { _ = try interpreter.run(x) }
    #expect(
      text
        == "second: the values that are needed at once take 6 MiB, of which this machine can hold "
        + "5; give smaller inputs or fewer at once")
  }
}
