import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Transposes as steps, and views that never become any.
@Suite struct TransposeStepTests {
  private static func permutations(_ items: [Int]) -> [[Int]] {
    items.isEmpty
      ? [[]]
      : items.flatMap { first in
        permutations(items.filter { $0 != first }).map { [first] + $0 }
      }
  }

  private static let shapes: [Shape] = [
    [5], [3, 130], [67, 5, 3], [2, 33, 17, 4], [1, 16, 1, 70], [2, 3, 1, 5, 7], [3, 2, 2, 3, 2, 2],
    [130, 131],
  ]

  /// The elements in the new order, one by one.
  private func transposed(_ x: [Int64], _ shape: Shape, _ order: [Int]) -> [Int64] {
    let lengths = order.map { shape[$0] }
    let strides = order.map { shape.strides[$0] }
    return (0..<shape.count).map { index in
      var (rest, place) = (index, 0)
      for axis in lengths.indices.reversed() {
        place += rest % lengths[axis] * strides[axis]
        rest /= lengths[axis]
      }
      return x[place]
    }
  }

  private func tensor(_ numbers: [Int64], _ type: ElementType, _ shape: Shape) -> Tensor {
    switch type {
    case .uint8: Tensor(numbers.map { UInt8(truncatingIfNeeded: $0) }, shape: shape)
    case .int16: Tensor(numbers.map { Int16(truncatingIfNeeded: $0) }, shape: shape)
    case .float32: Tensor(numbers.map { Float($0) }, shape: shape)
    default: Tensor(numbers, shape: shape)
    }
  }

  @Test(arguments: shapes, [ElementType.uint8, .int16, .float32, .int64])
  func ofAnyOrder(_ shape: Shape, _ type: ElementType) throws {
    let numbers = (0..<shape.count).map { Int64($0) }
    let x = tensor(numbers, type, shape)
    for order in Self.permutations(Array(0..<shape.rank)) {
      let node = Node(
        "Transpose", inputs: ["x"], outputs: ["y"], attributes: ["perm": .ints(order)])
      let model = Model(
        Graph(
          nodes: [node], inputs: [.init("x", .init(type, shape))],
          outputs: [.init("y", .init(type, nil))]))
      let expected = tensor(
        transposed(numbers, shape, order), type, Shape(order.map { shape[$0] }))
      let compiled = try CompiledModel(model)
      #expect(try compiled.run(["x": x])["y"]!.isIdentical(to: expected), "\(order)")
      #expect(try runNode("Transpose", [x], ["perm": .ints(order)])[0].isIdentical(to: expected))
      let kinds = try #require(try compiled.plan(for: ["x": x])).steps.map(\.kind)
      #expect(kinds == ["transpose"] || kinds.isEmpty, "\(kinds)")
    }
  }

  /// What is read through other nodes lies in the new order, as numbers and as codes.
  @Test(arguments: [false, true]) func areMadeWhereTheyAreRead(_ isCoded: Bool) throws {
    var constants: [String: Tensor] = ["flat": Tensor([Int64(-1)])]
    var nodes = [
      Node(
        "Transpose", inputs: [isCoded ? "d" : "x"], outputs: ["t"],
        attributes: ["perm": .ints([2, 0, 1])]),
      Node("Reshape", inputs: ["t", "flat"], outputs: ["y"]),
      Node("Relu", inputs: ["t"], outputs: ["z"]),
    ]
    if isCoded {
      constants["scale"] = Tensor(scalar: Float(0.05))
      constants["zero"] = Tensor(scalar: Int8(7))
      nodes.insert(
        contentsOf: [
          Node("QuantizeLinear", inputs: ["x", "scale", "zero"], outputs: ["q"]),
          Node("DequantizeLinear", inputs: ["q", "scale", "zero"], outputs: ["d"]),
        ], at: 0)
    }
    let model = Model(
      Graph(
        nodes: nodes, inputs: [.init("x", .init(.float32, [3, 5, 7]))],
        outputs: ["y", "z"].map { .init($0, .init(.float32, nil)) }, constants: constants))
    let inputs = ["x": Tensor.random([3, 5, 7], seed: 1)]
    let compiled = try CompiledModel(model)
    let found = try compiled.run(inputs)
    for (name, value) in try Interpreter(model).run(inputs) {
      #expect(found[name]!.isIdentical(to: value), "\(name)")
    }
    let steps = try #require(try compiled.plan(for: inputs)).steps
    #expect(steps.filter { $0.kind == "transpose" }.count == 1)
  }

  /// Lengths that follow from the inputs' shapes are constants of a plan: no node by node run for a slice of a table.
  @Test func whatFollowsFromShapesIsPlanned() throws {
    let graph = Graph(
      nodes: [
        Node("Shape", inputs: ["x"], outputs: ["s"]),
        Node("Gather", inputs: ["s", "one"], outputs: ["n"]),
        Node("Slice", inputs: ["table", "zero", "n", "zero"], outputs: ["p"]),
        Node("Add", inputs: ["x", "p"], outputs: ["y"]),
      ],
      inputs: [.init("x", .init(.float32, [.unknown, .unknown, .fixed(6)]))],
      outputs: [.init("y", .init(.float32, nil))],
      constants: [
        "one": Tensor([Int64(1)]), "zero": Tensor([Int64(0)]), "table": .random([50, 6], seed: 2),
      ])
    let model = Model(graph)
    let compiled = try CompiledModel(model)
    for shape in [[2, 7, 6], [1, 50, 6]] as [Shape] {
      let inputs = ["x": Tensor.random(shape, seed: 1)]
      let expected = try Interpreter(model).run(inputs)["y"]!
      #expect(try compiled.run(inputs)["y"]!.isIdentical(to: expected))
      let plan = try #require(try compiled.plan(for: inputs))
      #expect(plan.steps.map(\.kind) == ["float add"])
    }
  }
}
