import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Results that are written over what is there.
@Suite struct ReusedOutputsTests {
  private let network: CompiledModel
  private let inputs = ["x": Tensor.random([2, 3], seed: 1)]

  init() throws {
    let graph = Graph(
      nodes: [
        Node("Relu", inputs: ["x"], outputs: ["y"]), Node("Shape", inputs: ["x"], outputs: ["s"]),
      ],
      inputs: [.init("x", .init(.float32, [.named("n"), .fixed(3)]))],
      outputs: [.init("y", .init(.float32, nil)), .init("s", .init(.int64, nil))])
    network = try CompiledModel(Model(graph))
  }

  private func address(_ tensor: Tensor?) -> UnsafeRawPointer? {
    tensor?.withUnsafeBytes { $0.baseAddress }
  }

  @Test func memoryIsUsedAgain() throws {
    var outputs: [String: Tensor] = [:]
    try network.run(inputs, into: &outputs)
    #expect(outputs["y"]!.isIdentical(to: try network.run(inputs)["y"]!))
    let first = address(outputs["y"])
    let others = ["x": Tensor.random([2, 3], seed: 2)]
    try network.run(others, into: &outputs)
    #expect(address(outputs["y"]) == first)
    #expect(outputs["y"]!.isIdentical(to: try network.run(others)["y"]!))
  }

  @Test func whatOthersReferToIsLeftAlone() throws {
    var outputs = try network.run(inputs)
    let kept = outputs["y"]!
    let copy = Tensor(kept.floats, shape: kept.shape)
    try network.run(["x": Tensor.random([2, 3], seed: 3)], into: &outputs)
    #expect(kept.isIdentical(to: copy))
    #expect(!outputs["y"]!.isIdentical(to: copy))
  }

  @Test func otherShapesAndNamesAreSeen() throws {
    var outputs = ["y": Tensor([1, 2, 3]), "other": Tensor([Float(7)])]
    try network.run(inputs, into: &outputs)
    #expect(outputs["y"]!.shape == [2, 3] && outputs["other"]!.floats == [7])
    let taller = ["x": Tensor.random([5, 3], seed: 4)]
    try network.run(taller, into: &outputs)
    #expect(outputs["y"]!.isIdentical(to: try network.run(taller)["y"]!))
    #expect(outputs["s"]!.elements(of: Int64.self) == [5, 3])
    try network.run(inputs, into: &outputs)
    #expect(outputs["y"]!.isIdentical(to: try network.run(inputs)["y"]!))
  }

  @Test func wrongInputsAreToldAfterRightOnes() throws {
    var outputs: [String: Tensor] = [:]
    try network.run(inputs, into: &outputs)
    for wrong in [
      ["x": Tensor.random([2, 4], seed: 1)], ["x": Tensor([Int64(1), 2, 3], shape: [1, 3])], [:],
      inputs.merging(["z": Tensor([Float(1)])]) { $1 },
    ] {
      #expect(throws: ExecutionError.self) { try network.run(wrong, into: &outputs) }
    }
  }
}
