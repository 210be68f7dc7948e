import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct GraphQuantizerDynamicTests {
  func network(transposed: Bool) -> SmallNetwork {
    var network = SmallNetwork()
    let weight = network.constant("w", network.tensor(transposed ? [4, 6] : [6, 4]))
    let bias = network.constant("b", network.tensor([4]))
    network.add("Gemm", "y", ["x", weight, bias], ["transB": .int(transposed ? 1 : 0)])
    return network
  }

  @Test(arguments: [false, true]) func form(transposed: Bool) throws {
    var network = network(transposed: transposed)
    let float = network.model(x: ValueType(.float32, ["N", 6]), outputs: ["y"])
    let model = try float.quantized(
      by: .named("w8a8-dynamic"), given: CalibrationStatistics([:]))
    #expect(
      model.lines == [
        "x_codes, x_scale, x_zero_point = DynamicQuantizeLinear(x)",
        "y_sums = MatMulInteger(x_codes, w_codes, x_zero_point)",
        "y_numbers = Cast(y_sums)",
        "y_scales = Mul(x_scale, w_scale)",
        "y_product = Mul(y_numbers, y_scales)",
        "y = Add(y_product, b)",
      ])
    #expect(model.graph.constants["w_codes"]?.shape == [6, 4])
    #expect(model.graph.constants["w"] == nil)
    let sample = network.samples(1, [3, 6])[0]
    let error = relativeError(
      try Interpreter(model).run(sample)["y"], try Interpreter(float).run(sample)["y"])
    #expect(error < 0.03)
  }

  @Test func oneInputOfTwoLayersIsQuantizedOnce() throws {
    var network = SmallNetwork()
    for name in ["a", "b"] {
      network.add("MatMul", name, ["x", network.constant(name + "_w", network.tensor([6, 4]))])
    }
    network.add("Add", "y", ["a", "b"])
    let model = try network.model(x: ValueType(.float32, ["N", 6]), outputs: ["y"]).quantized(
      by: .named("w8a8-dynamic"), given: CalibrationStatistics([:]))
    #expect(model.graph.nodes.count { $0.operation == "DynamicQuantizeLinear" } == 1)
  }

  @Test func transposition() {
    let matrix = Tensor((0..<(70 * 130)).map { Int8(truncatingIfNeeded: $0) }, shape: [70, 130])
    let transposed = matrix.transposedMatrix()
    #expect(transposed.shape == [130, 70] && transposed.elementType == .int8)
    let (a, b) = (matrix.elements(of: Int8.self), transposed.elements(of: Int8.self))
    for row in 0..<70 {
      for column in 0..<130 { #expect(a[row * 130 + column] == b[column * 70 + row]) }
    }
  }
}
