import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// What is told of a plan's steps, by hand-computed examples.
@Suite struct StepProfileTests {
  private let weights = Tensor([Float](repeating: 0.5, count: 12), shape: [3, 4])

  private func model(_ nodes: [Node], constants: [String: Tensor]) -> Model {
    Model(
      Graph(
        name: "g", nodes: nodes, inputs: [.init("x", .init(.float32, [2, 3]))],
        outputs: [.init("y", .init(nil, nil))], constants: constants), opset: 17)
  }

  @Test func product() throws {
    let compiled = try CompiledModel(
      model(
        [
          Node("MatMul", name: "fc", inputs: ["x", "w"], outputs: ["z"]),
          Node("Exp", name: "exp", inputs: ["z"], outputs: ["y"]),
        ], constants: ["w": weights]))
    let inputs = ["x": Tensor.zeros([2, 3], .float32)]
    let steps = try compiled.profile(inputs, runs: 1)
    #expect(steps.map(\.name) == ["fc", "exp"] && steps.map(\.outputs) == [["z"], ["y"]])
    #expect(steps.map(\.label) == ["fc", "exp"] && steps.map(\.kind) == ["float product", "Exp"])
    #expect(steps.map(\.multiplications) == [24, 0])
    // 6 and 8 numbers; 8 and 8.
    #expect(steps.map(\.valueByteCount) == [56, 64])
    // Columns are packed in panels of 32.
    #expect(steps.map(\.weightByteCount) == [3 * 32 * 4, 0])
    #expect(steps.map(\.sources) == [[], [0]])
    #expect(steps.map(\.isReference) == [false, false])
    // Slots are whole cache lines, with a margin of one.
    #expect(
      try compiled.planMemory(for: inputs)
        == PlanMemory(arenaByteCount: 256, weightByteCount: 384))
  }

  @Test func referenceFunction() throws {
    let compiled = try CompiledModel(
      model(
        [Node("CumSum", name: "sum", inputs: ["x", "axis"], outputs: ["y"])],
        constants: ["axis": Tensor(scalar: Int64(1))]))
    let steps = try compiled.profile(["x": Tensor.zeros([2, 3], .float32)], runs: 1)
    #expect(steps.map(\.isReference) == [true] && steps.map(\.kind) == ["CumSum"])
    #expect(steps.map(\.valueByteCount) == [48] && steps.map(\.weightByteCount) == [8])
  }

  /// Nodes of one name are told apart.
  @Test func namesAreUnique() throws {
    let nodes = zip(["x", "a", "b", "c"], ["a", "b", "c", "y"]).map { source, target in
      Node(target == "c" ? "Tanh" : "Exp", name: "same", inputs: [source], outputs: [target])
    }
    let compiled = try CompiledModel(model(nodes, constants: [:]), tellingNodes: true)
    let steps = try compiled.profile(["x": Tensor.zeros([2, 3], .float32)], runs: 1)
    #expect(steps.map(\.name) == ["same (Exp)", "same (Exp) 2", "same (Tanh)", "same (Exp) 3"])
    #expect(steps.map(\.label) == ["same", "same", "same", "same"])
    #expect(steps.map(\.outputs) == [["a"], ["b"], ["c"], ["y"]])
  }

  /// Of a table only the rows that are looked up are read, though the plan holds all of it.
  @Test func rowsOfATable() throws {
    let table = Tensor([Float](repeating: 0.5, count: 4000), shape: [1000, 4])
    let rows = Tensor([Int64(3), 7], shape: [2])
    let gather = Node("Gather", name: "g", inputs: ["t", "i"], outputs: ["r"])
    let compiled = try CompiledModel(
      Model(
        Graph(
          name: "g", nodes: [gather], inputs: [.init("i", .init(.int64, [2]))],
          outputs: [.init("r", .init(nil, nil))], constants: ["t": table]), opset: 17))
    let steps = try compiled.profile(["i": rows], runs: 1)
    // Two indices and eight numbers; the eight numbers of the table.
    #expect(steps.map(\.valueByteCount) == [16 + 32] && steps.map(\.weightByteCount) == [32])
    #expect(try compiled.planMemory(for: ["i": rows])?.weightByteCount == 16_000)
    // Of a value: two rows of two.
    let slice = model(
      [Node("Gather", name: "g", inputs: ["x", "n"], outputs: ["y"])],
      constants: ["n": Tensor([Int64(1)], shape: [1])])
    let values = try CompiledModel(slice).profile(["x": Tensor.zeros([2, 3], .float32)], runs: 1)
    #expect(values.map(\.valueByteCount) == [12 + 12])
  }

  /// Steps that write side by side into one memory write their own parts, and who reads it reads of all.
  @Test func partsOfAConcatenation() throws {
    let compiled = try CompiledModel(
      Model(
        Graph(
          name: "g",
          nodes: [
            Node("Conv", name: "wide", inputs: ["x", "w"], outputs: ["a"]),
            Node("Conv", name: "slim", inputs: ["x", "v"], outputs: ["b"]),
            Node(
              "Concat", name: "both", inputs: ["a", "b"], outputs: ["c"],
              attributes: ["axis": .int(1)]),
            Node("Exp", name: "exp", inputs: ["c"], outputs: ["y"]),
          ], inputs: [.init("x", .init(.float32, [1, 2, 1, 2]))],
          outputs: [.init("y", .init(nil, nil))],
          constants: [
            "w": Tensor([Float](repeating: 1, count: 6), shape: [3, 2, 1, 1]),
            "v": Tensor([Float](repeating: 1, count: 2), shape: [1, 2, 1, 1]),
          ]), opset: 17))
    let steps = try compiled.profile(["x": Tensor.zeros([1, 2, 1, 2], .float32)], runs: 1)
    func index(_ name: String) throws -> Int { try #require(steps.firstIndex { $0.name == name }) }
    // Two pixels of two channels are read; of three channels and of one are written.
    #expect(try steps[index("wide")].valueByteCount == 16 + 24)
    #expect(try steps[index("slim")].valueByteCount == 16 + 8)
    #expect(try steps[index("exp")].valueByteCount == 32 + 32)
    #expect(try steps[index("exp")].sources == [index("wide"), index("slim")].sorted())
  }

  /// Shapes that follow from data have no plan.
  @Test func noPlan() throws {
    let compiled = try CompiledModel(
      model([Node("NonZero", name: "n", inputs: ["x"], outputs: ["y"])], constants: [:]))
    let inputs = ["x": Tensor.zeros([2, 3], .float32)]
    #expect(try compiled.planMemory(for: inputs) == nil)
    #expect(try compiled.profile(inputs, runs: 1).isEmpty)
    let wrong = ["x": Tensor.zeros([2, 2], .float32)]
    #expect(throws: ExecutionError.self) { _ = try compiled.planMemory(for: wrong) }
  }
}
