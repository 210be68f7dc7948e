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
