import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

/// Networks that are stored in float16, bfloat16 or float64.
@Suite struct NarrowFloatNetworkTests {
  /// The network with constants, inputs and outputs of another type.
  func stored(_ model: Model, as type: ElementType) -> Model {
    func converted(_ tensor: Tensor) -> Tensor {
      guard tensor.elementType == .float32 else { return tensor }
      guard type == .float64 else { return tensor.rounded(to: type) }
      return Tensor(tensor.elements(of: Float.self).map { Double($0) }, shape: tensor.shape)
    }
    var model = model
    model.graph.constants = model.graph.constants.mapValues(converted)
    for index in model.graph.inputs.indices { model.graph.inputs[index].type.elementType = type }
    for index in model.graph.outputs.indices { model.graph.outputs[index].type.elementType = type }
    return model
  }

  @Test(arguments: [ElementType.float16, .bfloat16, .float64], ["w8a8", "w8", "w8a8-dynamic"])
  func quantizesAsItsWidenedForm(type: ElementType, preset: String) throws {
    var network = SmallNetwork.mobile()
    let narrow = stored(network.model(outputs: ["y"]), as: type)
    let recipe = try Recipe.named(preset)
    let float = try narrow.applying([WidenToFloat32()] + .standard)
    let samples = network.samples(4).map { sample in
      sample.mapValues { value in
        type == .float64
          ? Tensor(value.elements(of: Float.self).map { Double($0) }, shape: value.shape)
          : value.rounded(to: type)
      }
    }
    let statistics = try float.calibrated(on: samples, for: recipe)
    let result = try float.quantization(by: recipe, given: statistics, on: samples)
    try result.plan.verify(result.model)
    #expect(!result.model.graph.constants.values.contains { $0.elementType == type })
    for sample in samples {
      let expected = try #require(try Interpreter(float).run(sample)["y"])
      let found = try #require(try CompiledModel(result.model).run(sample)["y"])
      #expect(found.elementType == type && expected.elementType == type)
      #expect(relativeError(try found.asFloat32(), try expected.asFloat32()) < 0.06)
    }
  }

  /// Integers that float32 has no number for, computed by way of float64, are those of the network as it was.
  @Test func integersByWayOfFloat64AreTheSame() throws {
    var network = SmallNetwork()
    network.add("MatMul", "y", ["x", network.constant("w", network.tensor([8, 4]))])
    var narrow = stored(
      network.model(x: ValueType(.float32, [1, 8]), outputs: ["y"]), as: .float16)
    func cast(_ input: String, _ output: String, _ type: ElementType) -> Node {
      Node("Cast", inputs: [input], outputs: [output], attributes: ["to": .int(type.onnxCode)])
    }
    narrow.graph.inputs.append(.init("n", ValueType(.int64, [1])))
    narrow.graph.outputs.append(.init("k", ValueType(.int64, [1])))
    narrow.graph.constants["two"] = Tensor([2.0])
    narrow.graph.nodes += [
      cast("n", "d", .float64), Node("Add", inputs: ["d", "two"], outputs: ["e"]),
      cast("e", "k", .int64),
    ]
    let float = try narrow.applying([WidenToFloat32()] + .standard)
    let small = try float.quantized(by: .named("w8"), given: CalibrationStatistics([:]))
    let inputs = [
      "x": network.tensor([1, 8]).rounded(to: .float16), "n": Tensor([Int64(16_777_217)]),
    ]
    for result in [try Interpreter(narrow).run(inputs), try CompiledModel(small).run(inputs)] {
      #expect(result["k"]?.elements(of: Int64.self) == [16_777_219])
    }
  }

  @Test func isRefusedWhereItIsNotWidened() throws {
    let narrow = stored(SmallNetwork.mobile().model(outputs: ["y"]), as: .float16)
    #expect {
      _ = try narrow.quantizationPlan(for: .named("w8"))
    } throws: { error in
      "\(error)"
        == "stem › stem_w: is float16[8, 3, 3, 3]; layers are quantized from float32: apply WidenToFloat32 "
        + "and the standard passes to the model first, or keep the node in float"
    }
    let kept = try Recipe.named("w8") { $0.keepFloat = [try NodePattern("*")] }
    #expect(try narrow.quantizationPlan(for: kept).entries.allSatisfy { $0.weights == nil })
  }
}
