import Graphs
import Tensors
import Testing

@Suite struct PoolingOperatorTests {
  static let window: [String: AttributeValue] = [
    "kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]),
  ]

  @Test(arguments: ["MaxPool", "AveragePool", "LpPool"] as [OperatorName])
  func lengths(_ name: OperatorName) throws {
    let x = float("N", 8, 10, "W")
    #expect(try outputTypes(name, [x], Self.window) == ["float32[N, 8, 4, ?]"])
    let up = Self.window.merging(["ceil_mode": .int(1)]) { $1 }
    #expect(try outputTypes(name, [x], up) == ["float32[N, 8, 5, ?]"])
    let same = ["kernel_shape": AttributeValue.ints([3, 3]), "pads": .ints([1, 1, 1, 1])]
    #expect(try outputTypes(name, [x], same) == ["float32[N, 8, 10, W]"])
    #expect(try outputTypes(name, [anything], Self.window) == ["?[…]"])
    #expect(
      typeProblem(name, [x]) == "node: attribute 'kernel_shape' is missing; the operator needs it")
    #expect(
      typeProblem(name, [x], ["kernel_shape": .ints([3])])
        == "attribute 'kernel_shape' is [3]; must have 2 numbers")
    #expect(
      typeProblem(name, [float(1, 8, 2, 2)], Self.window)
        .contains("the kernel reaches over 3 elements of spatial axis 0"))
    #expect(
      typeProblem(
        name, [x], ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 3, 1, 1])])
        == "attribute 'pads' must be less than what the kernel reaches over")
    #expect(typeProblem(name, [float(8, 2)], Self.window).contains("must have at least 3 axes"))
  }

  @Test func places() throws {
    #expect(
      try outputTypes("MaxPool", [float(1, 1, 7, 7)], Self.window, outputs: 2)
        == ["float32[1, 1, 3, 3]", "int64[1, 1, 3, 3]"])
    let places = ValueType(.int64, [1, 1, 3, 3])
    #expect(
      try outputTypes("MaxUnpool", [float(1, 1, 3, 3), places], Self.window)
        == ["float32[1, 1, 7, 7]"])
    let shape = ValueType(.int64, [4])
    #expect(
      try outputTypes("MaxUnpool", [float(1, 1, 3, 3), places, shape], Self.window)
        == ["float32[?, ?, ?, ?]"])
    #expect(
      try outputTypes(
        "MaxUnpool", [float(1, 1, 3, 3), places, shape], Self.window,
        constants: [2: Tensor([Int64(1), 1, 8, 8])]) == ["float32[1, 1, 8, 8]"])
  }

  @Test(arguments: ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"] as [OperatorName])
  func wholeChannels(_ name: OperatorName) throws {
    #expect(try outputTypes(name, [float("N", 8, "H", 7)]) == ["float32[N, 8, 1, 1]"])
    #expect(typeProblem(name, [float(8)]).contains("must have at least 2 axes"))
  }

  @Test func norms() {
    #expect(
      typeProblem("GlobalLpPool", [anything], ["p": .int(0)])
        == "node: attribute 'p' is 0; must be 1 or greater")
  }
}
