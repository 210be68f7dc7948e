import Graphs
import Tensors
import Testing

@Suite struct MatrixProductOperatorTests {
  @Test func gemm() throws {
    let (a, b) = (float("N", 3), float(3, 4))
    #expect(try outputTypes("Gemm", [a, b, float(4)]) == ["float32[N, 4]"])
    #expect(try outputTypes("Gemm", [a, float(4, 3)], ["transB": .int(1)]) == ["float32[N, 4]"])
    #expect(try outputTypes("Gemm", [float(3, "N"), b], ["transA": .int(1)]) == ["float32[N, 4]"])
    #expect(try outputTypes("Gemm", [anything, b]) == ["float32[?, 4]"])
    #expect(
      typeProblem("Gemm", [a, float(4, 3)])
        == "A is float32[N, 3], B float32[4, 3]: 3 columns against 4 rows")
    #expect(typeProblem("Gemm", [float(2, 3, 4), b]).contains("must have 2 axes"))
    #expect(
      typeProblem("Gemm", [float(2, 3), b, float(1, 2, 4)])
        == "C is float32[1, 2, 4]; must be broadcast to float32[2, 4]")
    #expect(
      typeProblem("Gemm", [a, b], ["transA": .int(2)])
        == "node: attribute 'transA' is 2; must be 0 or 1")
    #expect(
      try outputTypes(.microsoft("FusedGemm"), [a, b], ["activation": .string("Relu")])
        == ["float32[N, 4]"])
  }

  typealias Case = (a: ValueType, b: ValueType, result: String)

  static let products: [Case] = [
    (float(2, 3), float(3, 4), "float32[2, 4]"),
    (float("B", "T", 3), float(3, 4), "float32[B, T, 4]"),
    (float("B", 1, 2, 3), float(5, 3, 4), "float32[B, 5, 2, 4]"),
    (float(3), float(3), "float32[]"), (float(3), float("B", 3, 4), "float32[B, 4]"),
    (float("B", 2, 3), float(3), "float32[B, 2]"), (anything, float(3), "float32[…]"),
  ]

  @Test(arguments: products.indices) func productTypes(_ index: Int) throws {
    let (a, b, result) = Self.products[index]
    #expect(try outputTypes("MatMul", [a, b]) == [result])
    #expect(try outputTypes(.microsoft("FusedMatMul"), [a, b]) == [result])
    let codes = [a, b].map { ValueType(.uint8, $0.dimensions) }
    let sums = result.replacing("float32", with: "int32")
    #expect(try outputTypes("MatMulInteger", codes) == [sums])
  }

  @Test func refusals() throws {
    #expect(
      typeProblem("MatMul", [float(2, 3), float(4, 5)])
        == "a product of float32[2, 3] and float32[4, 5]: 3 columns against 4 rows")
    #expect(typeProblem("MatMul", [float(), float(3)]).contains("a scalar has no matrix"))
    #expect(typeProblem("MatMul", [float(2, 2, 3), float(3, 3, 4)]).contains("2 and 3 differ"))
    #expect(
      typeProblem("MatMulInteger", [float(2, 3), float(3, 4)]).contains("must be int8, uint8"))
    #expect(
      try outputTypes(
        .microsoft("FusedMatMul"), [float("B", 3, 2), float("B", 3, 4)], ["transA": .int(1)])
        == ["float32[B, 2, 4]"])
    #expect(
      typeProblem(.microsoft("FusedMatMul"), [anything, anything], ["transBatchA": .int(1)])
        .contains("is not supported; put a Transpose before it"))
  }
}
