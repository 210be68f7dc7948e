import Graphs
import Tensors
import Testing

@Suite struct MatrixProductTests {
  /// The product of two matrices by its definition.
  static func product(_ a: [Float], _ b: [Float], _ m: Int, _ k: Int, _ n: Int) -> [Float] {
    (0..<m * n).map { index in
      Float(
        (0..<k).reduce(0.0) {
          $0 + Double(a[index / n * k + $1]) * Double(b[$1 * n + index % n])
        })
    }
  }

  static func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    (0..<rows * columns).map { x[$0 % rows * columns + $0 / rows] }
  }

  struct Sizes: Sendable {
    var m, k, n: Int
  }

  @Test(
    arguments: [
      Sizes(m: 1, k: 300, n: 70), Sizes(m: 5, k: 7, n: 3), Sizes(m: 33, k: 64, n: 65),
      Sizes(m: 4, k: 1, n: 4), Sizes(m: 2, k: 0, n: 3), Sizes(m: 0, k: 2, n: 3),
    ], [false, true])
  func gemm(_ sizes: Sizes, _ transposesB: Bool) throws {
    let (m, k, n) = (sizes.m, sizes.k, sizes.n)
    let (a, b) = (randomFloats([m, k], seed: 1), randomFloats([k, n], seed: 2))
    let plain = MatrixProductTests.product(a.floats, b.floats, m, k, n)
    let given =
      transposesB ? floats(MatrixProductTests.transposed(b.floats, k, n), [n, k]) : b
    let transposition = ["transB": AttributeValue.int(transposesB ? 1 : 0)]
    let product = try runNode("Gemm", [a, given], transposition)[0]
    #expect(product.isClose(to: floats(plain, [m, n])))
    let bias = randomFloats([n], seed: 3)
    let biased = plain.enumerated().map { $1 + bias.floats[$0 % n] }
    #expect(
      try runNode("Gemm", [a, given, bias], transposition)[0].isClose(to: floats(biased, [m, n])))
    let turned = floats(MatrixProductTests.transposed(a.floats, m, k), [k, m])
    let column = randomFloats([m, 1], seed: 4)
    let all = transposition.merging(
      ["transA": .int(1), "alpha": .float(0.5), "beta": .float(-2)]) { $1 }
    let scaled = plain.enumerated().map { 0.5 * $1 - 2 * column.floats[$0 / max(n, 1)] }
    #expect(
      try runNode("Gemm", [turned, given, column], all)[0].isClose(to: floats(scaled, [m, n])))
  }

  @Test func gemmOfIntegers() throws {
    let (a, b) = (
      Tensor([Int32(1), 2, 3, 4], shape: [2, 2]), Tensor([Int32(5), 6], shape: [2, 1])
    )
    let c = Tensor([Int32(10)])
    #expect(
      try runNode("Gemm", [a, b, c], ["beta": .float(2)])[0].integers() == [37, 59])
    #expect(
      try runNode("Gemm", [a, a], ["transA": .int(1), "transB": .int(1)])[0].integers()
        == [7, 15, 10, 22])
  }

  @Test func gemmRefusals() {
    let a = randomFloats([2, 3], seed: 1)
    #expect(
      problem("Gemm", [a, a])
        == "node: A is float32[2, 3], B float32[2, 3]: 3 columns against 2 rows")
    #expect(
      problem("Gemm", [a, randomFloats([3, 4], seed: 1), randomFloats([3, 4], seed: 2)])
        .contains("can't be broadcast together"))
    #expect(
      problem("Gemm", [a, randomFloats([3, 1], seed: 1), randomFloats([2, 4], seed: 2)])
        .contains("C is float32[2, 4]; must be broadcast to float32[2, 1]"))
    #expect(
      problem("Gemm", [a, Tensor([1.0, 2, 3], shape: [3, 1])]).contains("float32 and float64"))
  }

  @Test(arguments: [
    ([2, 3], [3, 4]), ([5, 2, 3], [3, 4]), ([5, 2, 3], [5, 3, 4]), ([2, 1, 2, 3], [5, 3, 4]),
    ([2, 3], [5, 3, 4]), ([1, 2, 3], [2, 2, 3, 4]),
  ])
  func stacks(_ a: [Int], _ b: [Int]) throws {
    let (x, y) = (randomFloats(a, seed: 1), randomFloats(b, seed: 2))
    let result = try runNode("MatMul", [x, y])[0]
    let stack = Shape(Array(result.shape.dimensions.dropLast(2)))
    func matrix(_ tensor: Tensor, _ index: Int) -> [Float] {
      let own = tensor.shape.dimensions.dropLast(2)
      var start = 0
      for (axis, length) in own.enumerated() {
        let outer = stack.rank - own.count + axis
        start = start * length + (length == 1 ? 0 : index / stack.strides[outer] % stack[outer])
      }
      let size = tensor.shape[-1] * tensor.shape[-2]
      return Array(tensor.floats[(start * size)..<((start + 1) * size)])
    }
    let expected = (0..<stack.count).flatMap {
      MatrixProductTests.product(matrix(x, $0), matrix(y, $0), 2, 3, 4)
    }
    #expect(result.isClose(to: floats(expected, stack.dimensions + [2, 4])))
    let integers = [x, y].map { Tensor($0.floats.map { Int64($0 * 8) }, shape: $0.shape) }
    let whole = integers.map { Tensor($0.integers().map { Float($0) }, shape: $0.shape) }
    #expect(
      try runNode("MatMul", integers)[0].integers().map { Float($0) }
        == runNode("MatMul", whole)[0].floats)
  }

  @Test func vectors() throws {
    let (row, matrix) = (floats([1, 2]), floats([1, 2, 3, 4], [2, 2]))
    #expect(try runNode("MatMul", [row, row])[0].isIdentical(to: Tensor(scalar: Float(5))))
    #expect(try runNode("MatMul", [row, matrix])[0].isIdentical(to: floats([7, 10])))
    #expect(try runNode("MatMul", [matrix, row])[0].isIdentical(to: floats([5, 11])))
    #expect(
      problem("MatMul", [row, floats([1, 2, 3])])
        == "node: a product of float32[2] and float32[3]: 2 columns against 3 rows")
    #expect(problem("MatMul", [row, Tensor(scalar: Float(1))]).contains("a scalar has no matrix"))
  }

  @Test func sameBytesForAnyNumberOfThreads() throws {
    let before = Threads.count
    defer { Threads.count = before }
    let inputs = [randomFloats([7, 40, 50], seed: 1), randomFloats([7, 50, 60], seed: 2)]
    Threads.count = 1
    let one = try runNode("MatMul", inputs)[0]
    Threads.count = 4
    #expect(try runNode("MatMul", inputs)[0].isIdentical(to: one))
  }

  @Test func codes() throws {
    let a = Tensor([UInt8(0), 255, 7, 3, 2, 1], shape: [2, 3])
    let b = Tensor([Int8(-128), 127, 1, 2, 3, 4], shape: [3, 2])
    #expect(
      try runNode("MatMulInteger", [a, b])[0].integers() == [276, 538, -379, 389])
    let zeros: [Tensor?] = [Tensor(scalar: UInt8(5)), Tensor([Int8(1), -1])]
    // a − 5 = [-5, 250, 2; -2, -3, -4], b − [1, −1] = [-129, 128; 0, 3; 2, 5].
    #expect(
      try runNode("MatMulInteger", [a, b] + zeros)[0].integers() == [649, 120, 250, -285])
    let rows = Tensor([UInt8(0), 1])
    #expect(
      try runNode("MatMulInteger", [a, b, rows])[0].integers() == [276, 538, -255, 256])
    #expect(
      problem("MatMulInteger", [a, b, Tensor([Int8(1)])]).contains("must be uint8 as the codes"))
    #expect(
      problem("MatMulInteger", [a, b, nil, Tensor([Int8(1), 2, 3])]).contains("3 zero points"))
  }

  @Test func fused() throws {
    let (a, b) = (randomFloats([2, 3, 4], seed: 1), randomFloats([2, 3, 5], seed: 2))
    let turned = try runNode("Transpose", [a], ["perm": .ints([0, 2, 1])])[0]
    let plain = try runNode("MatMul", [turned, b])[0]
    let half = try runNode("Mul", [plain, floats([0.5])])[0]
    let fused = try runNode(
      .microsoft("FusedMatMul"), [a, b], ["transA": .int(1), "alpha": .float(0.5)])[0]
    #expect(fused.isClose(to: half))
    let (x, w) = (randomFloats([2, 3], seed: 3), randomFloats([3, 2], seed: 4))
    let gemm = try runNode("Gemm", [x, w])[0]
    let relu = try runNode(.microsoft("FusedGemm"), [x, w], ["activation": .string("Relu")])[0]
    #expect(relu.isClose(to: try runNode("Relu", [gemm])[0]))
  }
}
