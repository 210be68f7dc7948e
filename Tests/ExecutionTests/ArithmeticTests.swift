import Graphs
import Tensors
import Testing

@Suite struct ArithmeticTests {
  @Test func broadcastsEveryWay() throws {
    let column = floats([10, 20], [2, 1])
    let row = floats([1, 2, 3])
    #expect(try runNode("Add", [column, row])[0].floats == [11, 12, 13, 21, 22, 23])
    #expect(try runNode("Sub", [row, column])[0].floats == [-9, -8, -7, -19, -18, -17])
    let scalar = Tensor(scalar: Float(2))
    #expect(try runNode("Mul", [scalar, row])[0].floats == [2, 4, 6])
    #expect(try runNode("Div", [row, scalar])[0].shape == [3])
    let empty = floats([], [0, 3])
    #expect(try runNode("Add", [empty, row])[0].shape == [0, 3])
  }

  /// A value per channel, and an axis of length 1 between others: runs that can't be merged into one.
  @Test(arguments: [
    ([2, 3, 4, 5], [3, 1, 1]), ([2, 3, 4, 5], [2, 1, 4, 1]), ([3, 1, 5], [4, 1]),
    ([1, 3, 1, 5], [2, 1, 4, 1]), ([70_000], [1]), ([300, 300], [300, 1]),
  ])
  func equalsTheDefinition(_ a: [Int], _ b: [Int]) throws {
    let (x, y) = (randomFloats(a, seed: 1), randomFloats(b, seed: 2))
    let result = try runNode("Sub", [x, y])[0]
    let rank = max(a.count, b.count)
    let (left, right) = (x.floats, y.floats)
    func offset(_ shape: [Int], _ index: [Int]) -> Int {
      zip(shape, index.suffix(shape.count)).reduce(0) { $0 * $1.0 + ($1.0 == 1 ? 0 : $1.1) }
    }
    #expect(result.shape.rank == rank)
    let strides = result.shape.strides
    let isRight = result.floats.enumerated().allSatisfy { flat, value in
      let index = (0..<rank).map { flat / strides[$0] % result.shape[$0] }
      return value == left[offset(a, index)] - right[offset(b, index)]
    }
    #expect(isRight)
  }

  @Test func integersWrapAndTruncate() throws {
    let bytes = Tensor([Int8(127), -128, -7, 7])
    let others = Tensor([Int8(1), -1, 2, -2])
    #expect(try runNode("Add", [bytes, others])[0].integers() == [-128, 127, -5, 5])
    #expect(try runNode("Div", [bytes, others])[0].integers() == [127, -128, -3, -3])
    let unsigned = Tensor([UInt8(3), 250])
    #expect(
      try runNode("Sub", [unsigned, Tensor([UInt8(4), 1])])[0].integers() == [255, 249])
    #expect(
      try runNode("Mul", [Tensor([Int64.max]), Tensor([Int64(2)])])[0].integers() == [-2])
  }

  @Test func integerDivisionByZeroIsAnError() {
    let x = Tensor([Int32(4), 5])
    #expect(
      problem("Div", [x, Tensor([Int32(1), 0])])
        == "node: an integer is divided by zero: element 1 of the divisor")
    #expect(problem("Mod", [x, Tensor([Int32(0)])]).contains("divided by zero"))
    #expect(problem("Div", [floats([1]), floats([0])]) == "")
  }

  @Test func remainders() throws {
    let (a, b) = (Tensor([Int32(-7), 7, -7, 7, .min]), Tensor([Int32(3), -3, -3, 3, -1]))
    #expect(try runNode("Mod", [a, b])[0].integers() == [2, -2, -1, 1, 0])
    let asC = ["fmod": AttributeValue.int(1)]
    #expect(try runNode("Mod", [a, b], asC)[0].integers() == [-1, 1, -1, 1, 0])
    let (x, y) = (floats([-7.5, 7.5]), floats([2, -2]))
    #expect(try runNode("Mod", [x, y], asC)[0].floats == [-1.5, 1.5])
    #expect(problem("Mod", [x, y]).contains("'fmod' is 0; must be 1 for floating-point numbers"))
  }

  @Test func powers() throws {
    let base = floats([2, 3, -2, 4])
    #expect(try runNode("Pow", [base, floats([2])])[0].floats == [4, 9, 4, 16])
    #expect(try runNode("Pow", [base, floats([3, 0, 3, -0.5])])[0].floats == [8, 1, -8, 0.5])
    #expect(
      try runNode("Pow", [base, Tensor([Int64(3)])])[0].floats == [8, 27, -8, 64])
    let integers = try runNode("Pow", [Tensor([Int32(-3), 2]), floats([3, -1])])[0]
    #expect(integers.integers() == [-27, 0])
    #expect(integers.elementType == .int32)
    #expect(try runNode("Pow", [floats([2]), floats([2], [1, 1])])[0].shape == [1, 1])
  }

  @Test func variadic() throws {
    let inputs: [Tensor?] = [floats([1, 5]), floats([3, .nan]), floats([2])]
    #expect(try runNode("Sum", [inputs[0], inputs[2]])[0].floats == [3, 7])
    let least = try runNode("Min", inputs)[0].floats
    #expect(least[0] == 1 && least[1].isNaN)
    let greatest = try runNode("Max", inputs)[0].floats
    #expect(greatest[0] == 3 && greatest[1].isNaN)
    #expect(try runNode("Mean", [inputs[0], floats([3, 0]), inputs[2]])[0].floats[0] == 2)
    #expect(try runNode("Max", [inputs[0]])[0].floats == [1, 5])
    #expect(try runNode("Min", [Tensor([UInt64.max]), Tensor([UInt64(3)])])[0].integers() == [3])
  }

  @Test func refusesWhatDoesNotGoTogether() {
    let x = floats([1, 2, 3])
    #expect(
      problem("Add", [x, floats([1, 2])])
        == "node: shapes [3], [2] can't be broadcast together: lengths 3 and 2 differ and neither is 1"
    )
    #expect(
      problem("Add", [x, Tensor([Int32(1)])])
        == "node: inputs are float32 and int32; must be of one element type, so put a Cast before one"
    )
    #expect(problem("Add", [Tensor([true]), Tensor([true])]).contains("not computed for bool"))
  }

  @Test func narrowFloatsAreRoundedAfterEachNode() throws {
    // 1 + 2⁻¹¹ is a tie between 1 and 1 + 2⁻¹⁰ in float16.
    let one = Tensor([UInt16(0x3C00)]).reinterpreted(as: .float16)
    let small = Tensor([UInt16(0x1000)]).reinterpreted(as: .float16)
    let sum = try runNode("Add", [one, small])[0]
    #expect(sum.elementType == .float16)
    #expect(sum.reinterpreted(as: .uint16).integers() == [0x3C00])
    let brain = Tensor([UInt16(0x3F80)]).reinterpreted(as: .bfloat16)
    let twice = try runNode("Add", [brain, brain])[0]
    #expect(twice.elementType == .bfloat16)
    #expect(twice.reinterpreted(as: .uint16).integers() == [0x4000])
  }
}
