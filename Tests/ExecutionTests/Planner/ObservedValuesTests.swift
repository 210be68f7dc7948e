import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// What a plan tells of inner values while it runs.
@Suite struct ObservedValuesTests {
  /// The told values in order.
  private func told(
    _ model: Model, keeping kept: Set<String> = [], _ names: Set<String>, _ inputs: [String: Tensor]
  ) throws -> [(name: String, value: Tensor)] {
    let compiled = try CompiledModel(model, keeping: kept)
    var told: [(name: String, value: Tensor)] = []
    let outputs = try compiled.run(inputs, observing: names) { told.append(($0, $1)) }
    // Looking on changes nothing.
    let expected = try CompiledModel(model).run(inputs)
    for (name, value) in expected {
      let found = try #require(outputs[name])
      #expect(
        found.isIdentical(to: value) || !kept.isEmpty && largestDifference(found, value) < 1e-5)
    }
    return told
  }

  @Test(arguments: ConvolutionCase.all)
  func fusedValuesDoNotExist(_ test: ConvolutionCase) throws {
    let inputs = ["x": Tensor.random(test.input, seed: 3)]
    let model = test.floatModel()
    let told = try told(model, ["x", "c", "y"], inputs)
    #expect(told.map(\.name) == ["x", "y"])
    #expect(told[0].value.isIdentical(to: inputs["x"]!))
    #expect(told[1].value.isIdentical(to: try CompiledModel(model).run(inputs)["y"]!))
    #expect(try CompiledModel(model).existingValues(inputs) == ["x", "y"])
  }

  @Test(arguments: ConvolutionCase.all)
  func keptValuesExist(_ test: ConvolutionCase) throws {
    let inputs = ["x": Tensor.random(test.input, seed: 3)]
    let told = try told(test.floatModel(), keeping: ["c", "nothing"], ["x", "c", "y"], inputs)
    #expect(told.map(\.name) == ["x", "c", "y"])
    var expected: [Tensor] = []
    _ = try Interpreter(test.floatModel()).run(inputs) { expected.append($1) }
    for (told, expected) in zip(told, expected) {
      #expect(told.value.shape == expected.shape)
      #expect(largestDifference(told.value, expected) < 1e-4)
    }
  }

  @Test(arguments: ConvolutionCase.all, [ElementType.uint8, .int8])
  func codesAreToldAsNumbers(_ test: ConvolutionCase, _ activation: ElementType) throws {
    let inputs = ["x": Tensor.random(test.input, seed: 3)]
    let model = test.quantizedModel(activation: activation, hasWeightZeroPoints: false)
    let told = try told(model, ["xd", "c", "r", "y"], inputs)
    // What the convolution and its clamp compute never exists as numbers.
    #expect(told.map(\.name) == ["xd", "y"])
    var expected: [String: Tensor] = [:]
    _ = try Interpreter(model).run(inputs) { expected[$0] = $1 }
    #expect(told[0].value.isIdentical(to: expected["xd"]!))
    #expect(told[1].value.isIdentical(to: try CompiledModel(model).run(inputs)["y"]!))
  }

  @Test func codesThemselvesAreToldAsTheyAre() throws {
    // The codes leave the graph, so that they exist in their own form as well as in the kernels'.
    var model = ConvolutionCase().quantizedModel(activation: .int8, hasWeightZeroPoints: false)
    model.graph.outputs = [.init("yq", .init(.int8, nil))]
    let inputs = ["x": Tensor.random(ConvolutionCase().input, seed: 3)]
    let told = try told(model, ["yq"], inputs)
    #expect(told.count == 1)
    #expect(told[0].value.isIdentical(to: try CompiledModel(model).run(inputs)["yq"]!))
  }

  @Test func passesLeaveKeptValuesAlone() throws {
    // An Identity goes, unless what it computes is to be seen; a sum of constants becomes a constant, which is told as well.
    let model = Model(
      Graph(
        nodes: [
          Node("Relu", inputs: ["x"], outputs: ["a"]),
          Node("Identity", inputs: ["a"], outputs: ["b"]),
          Node("Add", inputs: ["one", "one"], outputs: ["two"]),
          Node("Mul", inputs: ["b", "two"], outputs: ["y"]),
        ], inputs: [.init("x", .init(.float32, [4]))], outputs: [.init("y", .init(.float32, [4]))],
        constants: ["one": Tensor([1, 2, 3, 4] as [Float])]))
    let inputs = ["x": Tensor([-1, 0, 1, 2] as [Float])]
    #expect(try told(model, ["b", "two"], inputs).map(\.name) == ["two"])
    let kept = try told(model, keeping: ["b", "two"], ["b", "two"], inputs)
    #expect(Set(kept.map(\.name)) == ["b", "two"])
    for (name, value) in kept {
      #expect(value.elements(of: Float.self) == (name == "b" ? [0, 0, 1, 2] : [2, 4, 6, 8]))
    }
  }

  @Test func theInterpreterTellsWhereThereIsNoPlan() throws {
    let model = Model(
      Graph(
        nodes: [
          Node("NonZero", inputs: ["x"], outputs: ["places"]),
          Node("Transpose", inputs: ["places"], outputs: ["y"]),
        ], inputs: [.init("x", .init(.float32, [4]))], outputs: [.init("y", .init(.int64, nil))]))
    let inputs = ["x": Tensor([0, 5, 0, 1] as [Float])]
    let compiled = try CompiledModel(model)
    #expect(try compiled.plan(for: inputs) == nil)
    #expect(try compiled.existingValues(inputs) == ["x", "places", "y"])
    var told: [String: [Int]] = [:]
    _ = try compiled.run(inputs, observing: ["places"]) { told[$0] = $1.integers() }
    #expect(told == ["places": [1, 3]])
  }

  @Test func observersEndARunByThrowing() throws {
    let test = ConvolutionCase()
    let compiled = try CompiledModel(test.floatModel())
    let inputs = ["x": Tensor.random(test.input, seed: 3)]
    #expect(throws: ExecutionError.self) {
      _ = try compiled.run(inputs, observing: ["x"]) { name, _ in
        throw ExecutionError(.invalidInput, "enough of \(name)")
      }
    }
    // The network is as it was.
    #expect(try compiled.run(inputs)["y"] != nil)
  }
}
