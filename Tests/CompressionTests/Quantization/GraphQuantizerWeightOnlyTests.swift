import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct GraphQuantizerWeightOnlyTests {
  @Test(arguments: ["w8", "w4", "w4-per-channel"], [false, true])
  func gemm(preset: String, transposed: Bool) throws {
    var network = SmallNetwork()
    let weight = network.constant("w", network.tensor(transposed ? [5, 40] : [40, 5]))
    let bias = network.constant("b", network.tensor([5]))
    network.add("Gemm", "y", ["x", weight, bias], ["transB": .int(transposed ? 1 : 0)])
    let float = network.model(x: ValueType(.float32, ["N", 40]), outputs: ["y"])
    let model = try float.quantized(by: .named(preset), given: CalibrationStatistics([:]))
    #expect(
      model.lines == [
        "w = DequantizeLinear(w_codes, w_scale, w_zero_point)", "y_product = MatMul(x, w)",
        "y = Add(y_product, b)",
      ])
    #expect(model.graph.constants["w_codes"]?.shape == [40, 5])
    #expect(model.graph.constants["w_scale"]?.shape == (preset == "w4" ? [2, 5] : [5]))
    #expect(model.opset == (preset == "w8" ? 17 : 21))
    let sample = network.samples(1, [3, 40])[0]
    let error = relativeError(
      try Interpreter(model).run(sample)["y"], try Interpreter(float).run(sample)["y"])
    #expect(error < (preset == "w8" ? 0.02 : 0.25))
  }

  @Test func convolutionsKeepTheirForm() throws {
    let network = SmallNetwork.mobile()
    let model = try network.model(outputs: ["y"]).quantized(
      by: .named("w8"), given: CalibrationStatistics([:]))
    #expect(model.lines.contains("stem = Conv(x, stem_w, stem_b)"))
    #expect(model.graph.constants["stem_w"] == nil)
    #expect(model.graph.constants["stem_b"]?.elementType == .float32)
  }

  @Test func weightOfTwoLayersKeepsNamesApart() throws {
    var network = SmallNetwork()
    let weight = network.constant("w", network.tensor([6, 6]))
    network.add("MatMul", "a", ["x", weight])
    network.add("MatMul", "y", ["a", weight])
    let model = try network.model(x: ValueType(.float32, ["N", 6]), outputs: ["y"]).quantized(
      by: .named("w8"), given: CalibrationStatistics([:]))
    #expect(model.graph.constants["w"] == nil)
    let sample = network.samples(1, [2, 6])[0]
    _ = try Interpreter(model).run(sample)
  }
}
