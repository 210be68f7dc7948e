import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct GraphQuantizerTests {
  func quantized(
    _ model: Model, _ samples: [[String: Tensor]], _ recipe: Recipe
  ) throws -> Model {
    try model.quantized(
      by: recipe, given: try model.calibrated(on: samples, for: recipe), on: samples)
  }

  @Test func namesAndForm() throws {
    var network = SmallNetwork()
    network.convolution("conv", "x", [4, 3, 3, 3])
    network.add("Relu", "relu", ["conv"])
    network.add("MaxPool", "y", ["relu"], ["kernel_shape": .ints([2, 2])])
    let recipe = try Recipe.named("w8a8") { $0.biasCorrection = .none }
    let model = try quantized(network.model(outputs: ["y"]), network.samples(2), recipe)
    #expect(
      model.lines == [
        "x_codes = QuantizeLinear(x, x_scale, x_zero_point)",
        "x_dequantized = DequantizeLinear(x_codes, x_scale, x_zero_point)",
        "conv_w = DequantizeLinear(conv_w_codes, conv_w_scale, conv_w_zero_point)",
        "conv_b = DequantizeLinear(conv_b_codes, conv_b_scale)",
        "relu_float = Conv(x_dequantized, conv_w, conv_b)",
        "relu_codes = QuantizeLinear(relu_float, relu_scale, relu_zero_point)",
        "relu = DequantizeLinear(relu_codes, relu_scale, relu_zero_point)",
        "y_float = MaxPool(relu)",
        "y_codes = QuantizeLinear(y_float, relu_scale, relu_zero_point)",
        "y = DequantizeLinear(y_codes, relu_scale, relu_zero_point)",
      ])
    #expect(model.graph.inputs.map(\.name) == ["x"] && model.graph.outputs.map(\.name) == ["y"])
    #expect(model.graph.constants["relu_zero_point"]?.integers() == [0])
    #expect(model.graph.constants["conv_w_codes"]?.elementType == .int8)
    #expect(model.graph.constants["conv_w"] == nil)
  }

  /// Each step by the formulas of ONNX, by hand.
  @Test func arithmeticOfAGemm() throws {
    var network = SmallNetwork()
    let weight = network.constant("w", Tensor([Float(1.27), -0.5, 0.254, 2.54], shape: [2, 2]))
    let bias = network.constant("b", Tensor([Float(0.3), -0.1]))
    network.add("Gemm", "y", ["x", weight, bias], ["transB": .int(1)])
    let float = network.model(x: ValueType(.float32, ["N", 2]), outputs: ["y"])
    let samples = [["x": Tensor([Float(-1), 1.55, 0, 0.5], shape: [2, 2])]]
    let recipe = try Recipe.named("w8a8") { $0.biasCorrection = .none }
    let model = try quantized(float, samples, recipe)
    let constants = model.graph.constants
    // x: −1 … 1.55 over 255 steps of 0.01, zero point 100.
    #expect(constants["x_scale"]?.elements(of: Float.self) == [Float(2.55) / 255])
    #expect(constants["x_zero_point"]?.integers() == [100])
    // w: 1.27 and 2.54 over 127 steps of 0.01 and 0.02; −0.5 / 0.01 = −50, 0.254 / 0.02 = 12.7.
    #expect(constants["w_codes"]?.integers() == [127, -50, 13, 127])
    // b: 0.3 / (0.01 · 0.01) and −0.1 / (0.01 · 0.02).
    #expect(constants["b_codes"]?.integers() == [3000, -500])
    let result = try Interpreter(model).run(samples[0])["y"]!.elements(of: Float.self)
    let sums: [Float] = [
      0.3 - 1.27 - 0.775, -0.1 - 0.26 + 3.937, 0.3 - 0.25, -0.1 + 1.27,
    ]
    // Sums of codes and nothing else: the result of a product that leaves the graph is not rounded.
    for (value, sum) in zip(result, sums) { #expect(abs(value - sum) <= 1e-6) }
  }

  @Test(arguments: ["w8a8", "w8a8-per-tensor", "w8a16"]) func closeToFloat(preset: String) throws {
    var network = SmallNetwork.mobile()
    let model = network.model(outputs: ["y"])
    let samples = network.samples(8)
    let recipe = try Recipe.named(preset)
    let prepared = try model.transformed(by: recipe, on: samples)
    let result = try quantized(prepared, samples, recipe)
    for sample in samples {
      let error = relativeError(
        try Interpreter(result).run(sample)["y"], try Interpreter(model).run(sample)["y"])
      #expect(error < 0.06)
    }
    #expect(result.opset == (preset == "w8a16" ? 21 : 17))
  }

  @Test func floatReadersOfAFloatValueReadItUnrounded() throws {
    var network = SmallNetwork()
    network.add("Erf", "e", ["x"])
    network.convolution("conv", "e", [3, 3, 3, 3])
    network.add("Erf", "f", ["e"])
    let model = try quantized(
      network.model(outputs: ["conv", "f"]), network.samples(1), .named("w8a8"))
    #expect(model.lines.contains("f = Erf(e)"))
    #expect(model.lines.contains("conv_float = Conv(e_dequantized, conv_w, conv_b)"))
  }

  @Test func layersThatStayFloatAreNoPatternOfQuantizedOnes() throws {
    var network = SmallNetwork()
    network.convolution("a", "x", [4, 3, 3, 3])
    network.convolution("b", "a", [4, 4, 3, 3])
    network.convolution("c", "b", [4, 4, 3, 3])
    let recipe = try Recipe.named("w8a8") {
      $0.keepFloat = [try NodePattern("b")]
      $0.biasCorrection = .none
    }
    let (float, samples) = (network.model(outputs: ["c"]), network.samples(2))
    let model = try quantized(float, samples, recipe)
    #expect(model.lines.contains("a_float_only = Max(a, a_least)"))
    #expect(model.lines.contains("b = Conv(a_float_only, b_w, b_b)"))
    let error = relativeError(
      try Interpreter(model).run(samples[0])["c"], try Interpreter(float).run(samples[0])["c"])
    #expect(error < 0.06)
  }

  @Test func constantOperandsBecomeCodes() throws {
    var network = SmallNetwork()
    network.convolution("conv", "x", [4, 3, 3, 3])
    network.add("Add", "y", ["conv", network.constant("k", network.tensor([1, 4, 8, 8]))])
    let model = try quantized(network.model(outputs: ["y"]), network.samples(1), .named("w8a8"))
    #expect(model.lines.contains("y_float = Add(conv, k_dequantized)"))
    #expect(model.graph.constants["k_codes"]?.elementType == .uint8)
    #expect(model.graph.constants["k"] == nil)
  }

  @Test func biasTooLargeForItsWeightsRaisesTheirScale() throws {
    var network = SmallNetwork()
    let weight = network.constant("w", Tensor([Float(1), 1e-12], shape: [2, 1, 1, 1]))
    network.add("Conv", "y", ["x", weight, network.constant("b", Tensor([Float(1), 5]))])
    let model = network.model(x: ValueType(.float32, ["N", 1, 2, 2]), outputs: ["y"])
    let samples = network.samples(1, [1, 1, 2, 2])
    let recipe = try Recipe.named("w8a8") { $0.biasCorrection = .none }
    let result = try model.quantization(
      by: recipe, given: try model.calibrated(on: samples, for: recipe))
    #expect(
      result.notes == [
        "scales of weights that are almost zero beside their bias were raised, so that the bias fits "
          + "int32: y (1 of 2)"
      ])
    #expect(
      relativeError(
        try Interpreter(result.model).run(samples[0])["y"],
        try Interpreter(model).run(samples[0])["y"]) < 0.01)
  }

  @Test func weightThatIsNoNumberIsNamed() throws {
    var network = SmallNetwork()
    var elements = network.tensor([4, 3, 3, 3]).elements(of: Float.self)
    elements[30] = .nan
    let weight = network.constant("w", Tensor(elements, shape: [4, 3, 3, 3]))
    network.add("Conv", "conv", ["x", weight])
    let model = network.model(outputs: ["conv"])
    let recipe = try Recipe.named("w8")
    let error = #expect(throws: NumberFormatError.self) {
      try model.quantized(by: recipe, given: CalibrationStatistics([:]))
    }
    #expect(
      error?.description.hasPrefix("conv › w: NaN at [1, 0, 1, 0]") ?? false, "\(error as Any)")
  }

  @Test func statisticsOfAnotherRecipeAreRefused() throws {
    var network = SmallNetwork.mobile()
    let model = network.model(outputs: ["y"])
    _ = network.samples(1)
    let error = #expect(throws: QuantizationError.self) {
      try model.quantized(by: .named("w8a8"), given: CalibrationStatistics([:]))
    }
    #expect(error?.code == .missingStatistics)
  }

  @Test func biasCorrectionNeedsSamples() throws {
    var network = SmallNetwork.mobile()
    let model = network.model(outputs: ["y"])
    let recipe = try Recipe.named("w8a8")
    let statistics = try model.calibrated(on: network.samples(1), for: recipe)
    let error = #expect(throws: QuantizationError.self) {
      try model.quantized(by: recipe, given: statistics)
    }
    #expect(
      error?.message == "recipe 'w8a8' corrects biases, which needs samples; give them, or set "
        + "biasCorrection to none")
  }

  @Test func sameInputSameBytes() throws {
    var network = SmallNetwork.mobile()
    let model = network.model(outputs: ["y"])
    let samples = network.samples(4)
    let recipe = try Recipe.named("w8a8")
    let (one, other) = (
      try quantized(model, samples, recipe), try quantized(model, samples, recipe)
    )
    #expect(one.lines == other.lines)
    for (name, tensor) in one.graph.constants {
      #expect(other.graph.constants[name].map { tensor.isIdentical(to: $0) } ?? false)
    }
  }

  @Test func reducedRange() throws {
    var network = SmallNetwork.mobile()
    let recipe = try Recipe.named("w8a8") { $0.reduceRange = true }
    let model = try quantized(network.model(outputs: ["y"]), network.samples(2), recipe)
    let codes = try #require(model.graph.constants["expand_w_codes"])
    #expect(codes.elementType == .int8)
    #expect(codes.integers().allSatisfy { (-64...64).contains($0) })
    #expect(codes.integers().contains { abs($0) == 63 })
  }
}
