import Graphs
import Tensors
import Testing

@Suite struct LogicTests {
  @Test(arguments: [
    ("Equal", [false, true, false]), ("Greater", [true, false, false]),
    ("Less", [false, false, false]), ("GreaterOrEqual", [true, true, false]),
    ("LessOrEqual", [false, true, false]),
  ])
  func comparisons(_ name: String, _ expected: [Bool]) throws {
    let result = try runNode(OperatorName(name), [floats([2, 1, .nan]), floats([1])])[0]
    #expect(result.elements(of: Bool.self) == expected)
  }

  @Test func comparesEveryWidth() throws {
    #expect(
      try runNode("Greater", [Tensor([UInt64.max]), Tensor([UInt64(1)])])[0].integers() == [1])
    #expect(
      try runNode("Less", [Tensor([Int64.min]), Tensor([Int64.min + 1])])[0].integers() == [1])
    #expect(
      try runNode("Equal", [Tensor([true, false]), Tensor([true])])[0].integers() == [1, 0])
  }

  @Test func truthTables() throws {
    let (a, b) = (Tensor([true, true, false, false]), Tensor([true, false, true, false]))
    #expect(try runNode("And", [a, b])[0].integers() == [1, 0, 0, 0])
    #expect(try runNode("Or", [a, b])[0].integers() == [1, 1, 1, 0])
    #expect(try runNode("Xor", [a, b])[0].integers() == [0, 1, 1, 0])
    #expect(try runNode("Not", [a])[0].integers() == [0, 0, 1, 1])
    // Any byte but 0 is true.
    let odd = Tensor([UInt8(2), 0]).reinterpreted(as: .bool)
    #expect(try runNode("Not", [odd])[0].integers() == [0, 1])
    #expect(try runNode("Equal", [odd, Tensor([true])])[0].integers() == [1, 0])
    #expect(problem("And", [floats([1]), a]).contains("must be bool"))
  }

  @Test func classification() throws {
    let x = floats([1, .infinity, -.infinity, .nan])
    #expect(try runNode("IsNaN", [x])[0].integers() == [0, 0, 0, 1])
    #expect(try runNode("IsInf", [x])[0].integers() == [0, 1, 1, 0])
    #expect(
      try runNode("IsInf", [x], ["detect_negative": .int(0)])[0].integers() == [0, 1, 0, 0])
    #expect(
      try runNode("IsInf", [x], ["detect_positive": .int(0)])[0].integers() == [0, 0, 1, 0])
  }

  @Test func bits() throws {
    let (a, b) = (Tensor([Int16(0b1100), -1]), Tensor([Int16(0b1010)]))
    #expect(try runNode("BitwiseAnd", [a, b])[0].integers() == [0b1000, 0b1010])
    #expect(try runNode("BitwiseOr", [a, b])[0].integers() == [0b1110, -1])
    #expect(try runNode("BitwiseXor", [a, b])[0].integers() == [0b0110, -11])
    #expect(try runNode("BitwiseNot", [a])[0].integers() == [-13, 0])
    #expect(problem("BitwiseNot", [floats([1])]).contains("must be integers"))
  }

  @Test func shiftsBeyondTheWidthGiveZero() throws {
    let (x, places) = (Tensor([UInt8(0x81), 0x81, 0x81]), Tensor([UInt8(1), 8, 200]))
    #expect(
      try runNode("BitShift", [x, places], ["direction": .string("LEFT")])[0].integers()
        == [2, 0, 0])
    #expect(
      try runNode("BitShift", [x, places], ["direction": .string("RIGHT")])[0].integers()
        == [0x40, 0, 0])
  }

  @Test func choiceOfAnyType() throws {
    let condition = Tensor([true, false], shape: [2, 1])
    let result = try runNode("Where", [condition, floats([1, 2]), Tensor(scalar: Float(9))])[0]
    #expect(result.floats == [1, 2, 9, 9])
    let flags = try runNode("Where", [condition, Tensor([true]), Tensor([false])])[0]
    #expect(flags.elementType == .bool && flags.integers() == [1, 0])
    let wide = try runNode("Where", [condition, Tensor([Int64.max]), Tensor([Int64.min])])[0]
    #expect(wide.integers() == [.max, .min])
  }
}
