import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

/// Weights that several nodes read, or one node twice.
@Suite struct SharedWeightsTests {
  /// Networks whose layers share a weight, and their input.
  static let networks: [(name: String, model: Model, x: Shape)] = {
    func stacked(_ name: String, _ operation: OperatorName, _ weight: Shape, _ x: Shape)
      -> (String, Model, Shape)
    {
      var network = SmallNetwork()
      let w = network.constant("w", network.tensor(weight))
      let isConvolution = operation == "Conv"
      let attributes: [String: AttributeValue] =
        isConvolution
        ? ["pads": .ints([1, 1, 1, 1]), "kernel_shape": .ints([3, 3])]
        : operation == "Gemm" ? ["transB": .int(1)] : [:]
      network.add(operation, "a", ["x", w], attributes)
      network.add("Tanh", "b", ["a"])
      network.add(operation, "c", ["b", w], attributes)
      network.add("Tanh", "d", ["c"])
      network.add(operation, "y", ["d", w], attributes)
      return (name, network.model(x: ValueType(.float32, x), outputs: ["y"]), x)
    }
    var recurrent = SmallNetwork()
    let w = recurrent.constant("w", recurrent.tensor([1, 96, 24]))
    let r = recurrent.constant("r", recurrent.tensor([1, 96, 24]))
    let axis = recurrent.constant("axis", Tensor([Int64(1)], shape: [1]))
    recurrent.add("LSTM", "a", ["x", w, r], ["hidden_size": .int(24)])
    recurrent.add("Squeeze", "b", ["a", axis])
    recurrent.add("LSTM", "y", ["b", w, r], ["hidden_size": .int(24)])
    return [
      stacked("products", "MatMul", [32, 32], [5, 32]),
      stacked("Gemm", "Gemm", [32, 32], [5, 32]),
      stacked("stack", "MatMul", [3, 32, 32], [3, 4, 32]),
      stacked("convolutions", "Conv", [32, 32, 3, 3], [1, 32, 5, 5]),
      ("LSTM", recurrent.model(x: ValueType(.float32, [3, 1, 24]), outputs: ["y"]), [3, 1, 24]),
    ]
  }()

  @Test(
    arguments: ["w8", "w4", "w4-per-channel", "w8a8-dynamic", "w8a8", "w8a8-per-tensor"],
    networks.indices)
  func codesAreStoredOnce(preset: String, index: Int) throws {
    let (name, float, shape) = Self.networks[index]
    let samples = (1...3).map { ["x": Tensor.waves(shape, factor: 7 * $0)] }
    var recipe = try Recipe.named(preset)
    recipe.transforms = []
    let plan = try float.quantizationPlan(for: recipe)
    let model = try float.quantized(
      by: recipe, given: float.calibrated(on: samples, for: recipe), on: samples)
    for weight in ["w", "r"] {
      guard let tensor = float.graph.constants[weight] else { continue }
      let isFloat = plan.weightBytes.float.contains { $0.name == weight }
      let large = model.graph.constants.filter { $0.key.hasPrefix(weight) }.values
        .filter { $0.count >= tensor.count / 2 && $0.shape.rank > 1 }
        .filter { $0.elementType.isFloatingPoint == isFloat }
      #expect(large.count == 1, "\(name)")
    }
    let error = relativeError(
      try CompiledModel(model).run(samples[0])["y"], try Interpreter(float).run(samples[0])["y"])
    #expect(error < (preset.hasPrefix("w4") ? 0.5 : 0.1), "\(name)")
  }

  @Test(arguments: ["w8", "w4", "w8a8-dynamic"])
  func aNodeThatReadsAWeightTwiceReadsTwoDequantized(preset: String) throws {
    var network = SmallNetwork()
    let w = network.constant("w", network.tensor([1, 24, 24]))
    network.add("RNN", "y", ["x", w, w], ["hidden_size": .int(24)])
    let float = network.model(x: ValueType(.float32, [3, 1, 24]), outputs: ["y"])
    let model = try float.quantized(by: .named(preset), given: CalibrationStatistics([:]))
    let dequantizations = model.graph.nodes.filter { $0.operation == "DequantizeLinear" }
    #expect(dequantizations.count == 2)
    #expect(Set(dequantizations.map { $0.inputs[0] }) == ["w_codes"])
    #expect(Set(dequantizations.flatMap(\.outputs)) == ["w", "w_dequantized"])
  }

  // MARK: - Weights that others need as numbers

  private func table(reader: Node?, isOutput: Bool) -> Model {
    var network = SmallNetwork()
    let table = network.constant("table", network.tensor([64, 32]))
    network.add("Gather", "y", [table, "x"])
    var model = network.model(x: ValueType(.int64, ["N"]), outputs: ["y"])
    if let reader {
      model.graph.nodes.append(reader)
      model.graph.outputs.append(.init("z", ValueType(.float32, nil)))
    }
    if isOutput { model.graph.outputs.append(.init("table", ValueType(.float32, nil))) }
    return model
  }

  @Test(arguments: ["w8", "w4", "w8a8-dynamic", "w8a8"])
  func tablesThatOthersReadStayFloat(preset: String) throws {
    let body = Graph(
      nodes: [Node("Relu", name: "inner", inputs: ["table"], outputs: ["t"])],
      outputs: [.init("t", ValueType(.float32, nil))])
    let condition = Node(
      "If", name: "choice", inputs: ["c"], outputs: ["z"],
      attributes: ["then_branch": .graph(body), "else_branch": .graph(body)])
    let reader = Node("Erf", name: "reader", inputs: ["table"], outputs: ["z"])
    var choosing = table(reader: condition, isOutput: false)
    choosing.graph.inputs.append(.init("c", ValueType(.bool, [])))
    for (model, who) in [
      (table(reader: nil, isOutput: true), "the caller"),
      (table(reader: reader, isOutput: false), "reader"), (choosing, "choice"),
    ] {
      let entry = try model.quantizationPlan(for: .named(preset)).entries[0]
      #expect(entry.treatment == .float && entry.weights == nil)
      #expect(entry.note == "'table' stays for \(who), which needs its numbers")
    }
  }

  @Test func weightsOfALayerThatStaysFloatStayForAll() throws {
    let float = Self.networks[0].model
    let recipe = try Recipe(yaml: "{name: a, method: weightOnly, keepFloat: [c]}")
    let plan = try float.quantizationPlan(for: recipe)
    #expect(plan.entries.allSatisfy { $0.treatment == .float })
    #expect(plan.entries[0].note == "'w' stays for c, which needs its numbers")
    // Integers are worth both forms.
    let dynamic = try Recipe(yaml: "{name: a, method: dynamic, keepFloat: [c]}")
    #expect(try float.quantizationPlan(for: dynamic).entries[0].treatment == .dynamic)
  }
}

extension Tensor {
  /// Numbers from −1 to 1, in no order.
  fileprivate static func waves(_ shape: Shape, factor: Int) -> Tensor {
    Tensor((0..<shape.count).map { Float($0 * factor % 101) / 50 - 1 }, shape: shape)
  }
}
