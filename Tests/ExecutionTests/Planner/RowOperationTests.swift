import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Operations of a value with a row of numbers, several rows, or one number for each row.
@Suite struct RowOperationTests {
  private func kinds(
    _ nodes: [Node], _ shape: Shape, _ constants: [String: Tensor], seed: UInt64 = 1,
    isSameAsInterpreter: Bool = true
  ) throws -> [String] {
    let graph = Graph(
      nodes: nodes, inputs: [.init("x", .init(.float32, shape.dimensions.map { .fixed($0) }))],
      outputs: [.init("y", .init(.float32, nil))], constants: constants)
    let compiled = try CompiledModel(Model(graph))
    let inputs = ["x": Tensor.random(shape, seed: seed)]
    let expected = try Interpreter(Model(graph)).run(inputs)["y"]!
    let found = try compiled.run(inputs)["y"]!
    if isSameAsInterpreter {
      #expect(found.isIdentical(to: expected))
    } else {
      #expect(largestDifference(found, expected) < 1e-4)
    }
    let mapped = try CompiledModel(Model(graph).withConstantsAtOddAddresses())
    for _ in 0..<3 { #expect(try mapped.run(inputs)["y"]!.isIdentical(to: found)) }
    return try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
  }

  private static let shapes: [(Shape, Shape)] = [
    ([5, 37], [37]), ([2, 5, 37], [1, 37]), ([2, 5, 37], [5, 37]), ([2, 5, 37], [1, 5, 37]),
    ([2, 5, 37], [2, 5, 1]), ([300, 40], [300, 1]), ([2, 3, 4, 40], [40]), ([3, 4, 1], [4, 1]),
    ([1, 1, 9], [1, 1, 9]),
  ]

  @Test(arguments: ["Add", "Sub", "Mul", "Div"], shapes)
  func areTheDefinitions(_ operation: String, _ shapes: (value: Shape, numbers: Shape)) throws {
    let numbers = Tensor.random(shapes.numbers, seed: 4)
    let kind = ["Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide"][operation]!
    for isReversed in [false, true] {
      // A constant, and a value that is computed.
      let inputs = isReversed ? ["c", "x"] : ["x", "c"]
      let node = Node(.init(operation), inputs: inputs, outputs: ["y"])
      let constant = try kinds([node], shapes.value, ["c": numbers])
      let isSame = shapes.value == shapes.numbers
      #expect(constant == ["float \(kind)"])
      let computed = try kinds(
        [
          Node("ReduceSum", inputs: ["x"], outputs: ["sum"], attributes: ["keepdims": .int(0)]),
          Node("Mul", inputs: ["n", "sum"], outputs: ["c"]), node,
        ], shapes.value, ["n": numbers])
      #expect(computed.last == (isSame ? "element-wise chain" : "float \(kind)"))
    }
  }

  /// Images that a step before left with their channels innermost are brought into rows.
  @Test(arguments: [[6], [5, 6], [1, 4, 5, 6], [4, 5, 1], [2, 1, 5, 6]] as [Shape])
  func rowsOfImages(_ numbers: Shape) throws {
    let graph = Graph(
      nodes: [
        Node("Conv", inputs: ["x", "w"], outputs: ["a"]),
        Node("Mul", inputs: ["c", "a"], outputs: ["y"]),
      ], inputs: [.init("x", .init(.float32, [2, 3, 5, 6]))],
      outputs: [.init("y", .init(.float32, nil))],
      constants: ["w": .random([4, 3, 1, 1], seed: 2), "c": .random(numbers, seed: 3)])
    let inputs = ["x": Tensor.random([2, 3, 5, 6], seed: 1)]
    let compiled = try CompiledModel(Model(graph))
    let expected = try Interpreter(Model(graph)).run(inputs)["y"]!
    #expect(largestDifference(try compiled.run(inputs)["y"]!, expected) < 1e-5)
    let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
    #expect(
      kinds == ["change layout", "float convolution", "change layout", "float multiply"])
  }

  /// A product takes the bias that is added behind it: the very same numbers.
  @Test(arguments: [false, true], [[9], [1, 9], [1, 1, 9]] as [Shape])
  func productsTakeABias(_ isSwapped: Bool, _ shape: Shape) throws {
    let nodes = [
      Node("MatMul", inputs: ["x", "w"], outputs: ["p"]),
      Node("Add", inputs: isSwapped ? ["b", "p"] : ["p", "b"], outputs: ["a"]),
      Node("Relu", inputs: ["a"], outputs: ["y"]),
    ]
    let graph = Graph(
      nodes: nodes, inputs: [.init("x", .init(.float32, [.fixed(2), .fixed(4), .fixed(33)]))],
      outputs: [.init("y", .init(.float32, nil))],
      constants: ["w": .random([33, 9], seed: 2), "b": .random(shape, seed: 3)])
    let inputs = ["x": Tensor.random([2, 4, 33], seed: 1)]
    let compiled = try CompiledModel(Model(graph))
    #expect(try #require(try compiled.plan(for: inputs)).steps.map(\.kind) == ["float product"])
    let apart = try CompiledModel(Model(graph), keeping: ["p"])
    #expect(
      try #require(try apart.plan(for: inputs)).steps.map(\.kind)
        == ["float product", "element-wise chain"])
    let found = try compiled.run(inputs)["y"]!
    #expect(found.isIdentical(to: try apart.run(inputs)["y"]!))
    #expect(largestDifference(found, try Interpreter(Model(graph)).run(inputs)["y"]!) < 1e-4)
  }

  /// An addition that widens the product is not its bias.
  @Test func additionsThatAreNoBiasStay() throws {
    let weights = Tensor.random([6, 9], seed: 2)
    let product = Node("MatMul", inputs: ["x", "w"], outputs: ["p"])
    let add = Node("Add", inputs: ["p", "b"], outputs: ["y"])
    for shape in [[4, 9], [4, 1], [2, 4, 9], [1]] as [Shape] {
      let kinds = try kinds(
        [product, add], [4, 6], ["w": weights, "b": .random(shape, seed: 3)],
        isSameAsInterpreter: false)
      #expect(kinds.count >= 2 && kinds[0] == "float product", "\(shape)")
    }
  }
}
