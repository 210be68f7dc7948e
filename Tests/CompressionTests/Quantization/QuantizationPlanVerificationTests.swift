import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct QuantizationPlanVerificationTests {
  func quantized() throws -> (Model, QuantizationPlan) {
    var network = SmallNetwork.mobile()
    let (model, samples) = (network.model(outputs: ["y"]), network.samples(2))
    let recipe = try Recipe.named("w8a8")
    let result = try model.quantization(
      by: recipe, given: try model.calibrated(on: samples, for: recipe), on: samples)
    return (result.model, result.plan)
  }

  @Test func whatWasPlannedPasses() throws {
    let (model, plan) = try quantized()
    try plan.verify(model)
  }

  /// A matrix that stands first becomes codes in weight-only recipes alone, and nowhere where it is kept in float.
  @Test(arguments: ["w8a8", "w8a8-per-tensor", "w8a16", "w8", "w4", "kept"])
  func matricesThatStandFirst(_ name: String) throws {
    var network = SmallNetwork()
    network.add("MatMul", "a", [network.constant("w", network.tensor([16, 16])), "x"])
    network.add("Relu", "r", ["a"])
    network.add("MatMul", "y", ["r", network.constant("v", network.tensor([16, 8]))])
    let model = network.model(x: ValueType(.float32, [16, 16]), outputs: ["y"])
    let samples = (0..<2).map { _ in ["x": network.tensor([16, 16])] }
    let recipe = try Recipe.named(name == "kept" ? "w8" : name) {
      if name == "kept" { $0.keepFloat = [.name("a")] }
    }
    let result = try model.quantization(
      by: recipe, given: try model.calibrated(on: samples, for: recipe), on: samples)
    try result.plan.verify(result.model)
    #expect(result.plan.entries[0].isFirstOperand)
    #expect((result.plan.entries[0].weights != nil) == ["w8", "w4"].contains(name))
    guard ["w8", "w4"].contains(name) else { return }
    var broken = result.model
    broken.graph.nodes.removeAll { $0.outputs == ["w"] }
    broken.graph.constants["w"] = .zeros([16, 16], .float32)
    let error = #expect(throws: QuantizationError.self) { try result.plan.verify(broken) }
    #expect(error?.description.hasPrefix("a: its weights 'w' are no codes") ?? false)
  }

  func violation(_ change: (inout Model) -> Void) throws -> String? {
    var (model, plan) = try quantized()
    change(&model)
    let error = #expect(throws: QuantizationError.self) { try plan.verify(model) }
    #expect(error?.code == .planViolated)
    return error?.description
  }

  @Test func floatWeights() throws {
    let text = try violation { model in
      model.graph.nodes.removeAll { $0.outputs == ["expand_w"] }
      model.graph.constants["expand_w"] = .zeros([12, 8, 1, 1], .float32)
    }
    #expect(
      text == "expand: its weights 'expand_w' are no codes; the quantized model is not what was "
        + "planned: report this")
  }

  @Test func otherCodes() throws {
    let text = try violation {
      $0.graph.constants["expand_w_codes"] = .zeros([12, 8, 1, 1], .uint8)
    }
    #expect(
      text?.hasPrefix("expand: its weights 'expand_w' are uint8[12, 8, 1, 1], not int8") ?? false)
  }

  @Test func outputThatIsNotQuantized() throws {
    let text = try violation { model in
      for index in model.graph.nodes.indices
      where model.graph.nodes[index].outputs == ["project_float"] {
        model.graph.nodes[index].outputs = ["project"]
      }
      model.graph.nodes.removeAll {
        $0.outputs == ["project_codes"] || $0.inputs.first == "project_codes"
      }
    }
    #expect(text?.contains("its output 'project' is not quantized as uint8 affine") ?? false)
  }

  @Test func missingNode() throws {
    let text = try violation { $0.graph.nodes.removeAll { $0.operation == "Flatten" } }
    #expect(text?.contains("flat: computes 'flat' no more") ?? false)
  }
}
