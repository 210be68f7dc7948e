import Foundation
import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Pairs of QuantizeLinear and DequantizeLinear whose codes no kernel computes with: rounding, bit by bit what the two give.
@Suite struct RoundedValuesTests {
  /// Numbers of which every 16th is a tie of the codes, or its neighbour, and some are none.
  private func input(_ shape: Shape, scale: Float) -> Tensor {
    var values = Tensor.random(shape, seed: 5, deviation: 40 * scale).elements(of: Float.self)
    for index in stride(from: 0, to: values.count, by: 16) {
      let tie = (Float(index / 16) - 20.5) * scale
      values[index] = [tie, tie.nextUp, tie.nextDown][index / 16 % 3]
    }
    let special: [Float] = [.nan, .infinity, -.infinity, -0.0, 0x1p-140, 3e38, -3e38]
    for (index, value) in special.enumerated() { values[7 * index + 3] = value }
    return Tensor(values, shape: shape)
  }

  private func model(
    _ nodes: [Node], _ shape: Shape, scale: Tensor, zeroPoint: Tensor,
    constants: [String: Tensor] = [:], outputs: [String] = ["y"]
  ) -> Model {
    let all = constants.merging(["s": scale, "z": zeroPoint]) { $1 }
    return Model(
      Graph(
        nodes: nodes, inputs: [.init("x", .init(.float32, shape.dimensions.map { .fixed($0) }))],
        outputs: outputs.map { .init($0, .init(.float32, nil)) }, constants: all), opset: 21)
  }

  private func pair(
    _ x: String, _ y: String, attributes: [String: AttributeValue] = [:]
  ) -> [Node] {
    [
      Node("QuantizeLinear", inputs: [x, "s", "z"], outputs: [y + "_q"], attributes: attributes),
      Node("DequantizeLinear", inputs: [y + "_q", "s", "z"], outputs: [y], attributes: attributes),
    ]
  }

  /// Runs both ways, expects the same bits, and gives the kinds of the plan's steps.
  @discardableResult
  private func kinds(_ model: Model, _ x: Tensor, keeping kept: Set<String> = []) throws
    -> [String]
  {
    let compiled = try CompiledModel(model, keeping: kept)
    let expected = try Interpreter(compiled.graph, opsets: compiled.opsets).run(["x": x])
    for _ in 0..<2 {
      let found = try compiled.run(["x": x])
      for (name, value) in expected { #expect(found[name]!.isIdentical(to: value), "\(name)") }
    }
    return try #require(try compiled.plan(for: ["x": x])).steps.map(\.kind)
  }

  private static func zeroPoint(_ type: ElementType, _ values: [Int]) -> Tensor {
    switch type {
    case .uint16: Tensor(values.map { UInt16($0) })
    case .int16: Tensor(values.map { Int16($0) })
    case .int8: Tensor(values.map { Int8($0) })
    case .uint8: Tensor(values.map { UInt8($0) })
    default:
      Tensor(values.map { UInt8(truncatingIfNeeded: $0) & UInt8((1 << type.bitWidth) - 1) })
        .packed(as: type)
    }
  }

  private static let types: [(ElementType, Int)] = [
    (.uint16, 32768), (.uint16, 0), (.uint16, 65535), (.int16, 0), (.int16, -32768), (.uint4, 9),
    (.int4, 0), (.uint2, 1), (.int2, -1),
  ]

  @Test(arguments: types, [Float(0.013), 1, 0x1p-130])
  func oneScale(_ type: (code: ElementType, zero: Int), _ scale: Float) throws {
    let zero = Self.zeroPoint(type.code, [type.zero])
    let shape: Shape = [3, 5, 37]
    let x = input(shape, scale: scale)
    for isScalar in [false, true] where type.code.bitWidth >= 8 || !isScalar {
      let model = model(
        pair("x", "y"), shape, scale: isScalar ? Tensor(scalar: scale) : Tensor([scale]),
        zeroPoint: isScalar ? zero.reshaped(to: []) : zero)
      #expect(try kinds(model, x) == ["round to codes"])
    }
    // In the step that computes the numbers.
    let relu = model(
      [Node("Relu", inputs: ["x"], outputs: ["a"])] + pair("a", "y"), shape,
      scale: Tensor([scale]), zeroPoint: zero)
    #expect(try kinds(relu, x) == ["Relu, rounded"])
  }

  @Test(arguments: [ElementType.uint16, .int16, .uint8, .int8], [0, 1, 2, -1])
  func oneScalePerIndex(_ type: ElementType, _ axis: Int) throws {
    let shape: Shape = [3, 5, 37]
    let count = shape[axis]
    let scales = Tensor((0..<count).map { 0.01 * Float($0 + 1) })
    let zero = Self.zeroPoint(type, (0..<count).map { $0 })
    let attributes = ["axis": AttributeValue.int(axis)]
    let x = input(shape, scale: 0.03)
    let alone = model(
      pair("x", "y", attributes: attributes), shape, scale: scales, zeroPoint: zero)
    #expect(try kinds(alone, x) == ["round to codes"])
    let relu = model(
      [Node("Relu", inputs: ["x"], outputs: ["a"])] + pair("a", "y", attributes: attributes),
      shape, scale: scales, zeroPoint: zero)
    #expect(try kinds(relu, x) == ["Relu, rounded"])
  }

  @Test func oneScalePerBlock() throws {
    let shape: Shape = [4, 6]
    let scales = Tensor((0..<8).map { 0.01 * Float($0 + 1) }, shape: [4, 2])
    let zero = Tensor((0..<8).map { UInt16($0 * 8000) }, shape: [4, 2])
    let attributes: [String: AttributeValue] = ["axis": .int(1), "block_size": .int(3)]
    let model = model(
      pair("x", "y", attributes: attributes), shape, scale: scales, zeroPoint: zero)
    let x = Tensor.random(shape, seed: 4)
    #expect(try kinds(model, x) == ["round to codes"])
  }

  /// Convolutions round what they compute, pixels with the channels innermost.
  @Test(arguments: [1, 4])
  func convolutions(_ groups: Int) throws {
    let constants: [String: Tensor] = [
      "w": .random([4, 4 / groups, 3, 3], seed: 1), "b": .random([4], seed: 2),
    ]
    let attributes: [String: AttributeValue] = [
      "group": .int(groups), "pads": .ints([1, 1, 1, 1]),
    ]
    func nodes(_ x: String, _ y: String) -> [Node] {
      [
        Node("Conv", inputs: [x, "w", "b"], outputs: [y + "_float"], attributes: attributes)
      ] + pair(y + "_float", y)
    }
    let model = model(
      nodes("x", "a") + nodes("a", "c") + [Node("Add", inputs: ["a", "c"], outputs: ["d"])]
        + pair("d", "y"), [2, 4, 7, 5], scale: Tensor(scalar: Float(0.001)),
      zeroPoint: Tensor(scalar: UInt16(32768)), constants: constants)
    let x = Tensor.random([2, 4, 7, 5], seed: 3)
    let compiled = try CompiledModel(model)
    // The same steps without a pair that is fused, since its numbers are kept.
    let apart = try CompiledModel(model, keeping: ["a_float", "c_float", "d"])
    let found = try compiled.run(["x": x])["y"]!
    #expect(found.isIdentical(to: try apart.run(["x": x])["y"]!))
    let kind = groups == 1 ? "float convolution" : "float depthwise convolution"
    let steps = try #require(try compiled.plan(for: ["x": x])).steps.map(\.kind)
    #expect(
      steps == ["change layout", kind + ", rounded", kind + ", rounded", "float add, rounded"]
        + ["change layout"])
    let kinds = try #require(try apart.plan(for: ["x": x])).steps.map(\.kind)
    #expect(kinds.filter { $0 == "round to codes" }.count == 3)
    // Told as they are after rounding.
    var told: [String: Tensor] = [:]
    _ = try compiled.run(["x": x], observing: ["a", "a_float", "c", "d"]) { told[$0] = $1 }
    #expect(Set(told.keys) == ["a", "c"])
    var expected: [String: Tensor] = [:]
    _ = try apart.run(["x": x], observing: ["a", "c"]) { expected[$0] = $1 }
    for (name, value) in expected { #expect(told[name]!.isIdentical(to: value), "\(name)") }
  }

  /// A value that others read too is not rounded where it lies, nor what shares its memory.
  @Test func valuesThatOthersReadStay() throws {
    let x = input([8, 21], scale: 0.1)
    let (scale, zero) = (Tensor(scalar: Float(0.1)), Tensor(scalar: UInt16(300)))
    let readTwice = model(
      [Node("Relu", inputs: ["x"], outputs: ["a"])] + pair("a", "b")
        + [Node("Add", inputs: ["a", "b"], outputs: ["y"])], [8, 21], scale: scale,
      zeroPoint: zero)
    #expect(try kinds(readTwice, x) == ["Relu", "round to codes", "float add"])
    let viewed = model(
      [
        Node("Relu", inputs: ["x"], outputs: ["a"]),
        Node("Flatten", inputs: ["a"], outputs: ["f"], attributes: ["axis": .int(1)]),
      ] + pair("f", "b") + [Node("Add", inputs: ["a", "b"], outputs: ["y"])], [8, 21],
      scale: scale, zeroPoint: zero)
    #expect(try kinds(viewed, x) == ["Relu", "round to codes", "float add"])
    let output = model(
      [Node("Relu", inputs: ["x"], outputs: ["a"])] + pair("a", "y"), [8, 21], scale: scale,
      zeroPoint: zero, outputs: ["a", "y"])
    #expect(try kinds(output, x) == ["Relu", "round to codes"])
    let held = model(pair("x", "y"), [8, 21], scale: scale, zeroPoint: zero)
    #expect(
      try kinds(held, x, keeping: ["y_q"]) == ["QuantizeLinear", "DequantizeLinear"])
  }

  /// What was rounded to the same numbers and only moved is not rounded again; to others it is.
  @Test func valuesAreRoundedOnce() throws {
    let moved =
      [Node("Relu", inputs: ["x"], outputs: ["a"])] + pair("a", "b")
      + [Node("Transpose", inputs: ["b"], outputs: ["c"], attributes: ["perm": .ints([1, 0])])]
    let scale = Tensor(scalar: Float(0.1))
    let x = input([8, 21], scale: 0.1)
    let same = model(
      moved + pair("c", "d") + [Node("Relu", inputs: ["d"], outputs: ["y"])], [8, 21],
      scale: scale, zeroPoint: Tensor(scalar: UInt16(300)))
    #expect(try kinds(same, x) == ["Relu, rounded", "transpose", "Relu"])
    let other = [
      Node("QuantizeLinear", inputs: ["c", "s2", "z"], outputs: ["q2"]),
      Node("DequantizeLinear", inputs: ["q2", "s2", "z"], outputs: ["y"]),
    ]
    let coarser = model(
      moved + other, [8, 21], scale: scale, zeroPoint: Tensor(scalar: UInt16(300)),
      constants: ["s2": Tensor(scalar: Float(0.3))])
    #expect(try kinds(coarser, x) == ["Relu, rounded", "transpose, rounded"])
    // A scale whose greatest numbers are infinite rounds them anew.
    let wide = model(
      moved + pair("c", "y"), [8, 21], scale: Tensor(scalar: Float(3e36)),
      zeroPoint: Tensor(scalar: UInt16(300)))
    #expect(try kinds(wide, x) == ["Relu, rounded", "transpose, rounded"])
  }

  /// Several DequantizeLinear of the same codes are one rounding; those on another scale keep the codes.
  @Test func severalReaders() throws {
    let nodes =
      pair("x", "a") + [
        Node("DequantizeLinear", inputs: ["a_q", "s", "z"], outputs: ["b"]),
        Node("Relu", inputs: ["a"], outputs: ["c"]),
        Node("Add", inputs: ["b", "c"], outputs: ["y"]),
      ]
    let x = input([8, 21], scale: 0.1)
    let (scale, zero) = (Tensor(scalar: Float(0.1)), Tensor(scalar: UInt16(30)))
    let alike = model(nodes, [8, 21], scale: scale, zeroPoint: zero)
    #expect(try kinds(alike, x) == ["round to codes", "element-wise chain"])
    var different = nodes
    different[2] = Node("DequantizeLinear", inputs: ["a_q", "s2", "z"], outputs: ["b"])
    let model = model(
      different, [8, 21], scale: scale, zeroPoint: zero,
      constants: ["s2": Tensor(scalar: Float(0.5))])
    #expect(
      try kinds(model, x)
        == ["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "element-wise chain"])
  }

  /// What steps have put into a concatenation is told as it was before the whole is rounded.
  @Test func concatenationsAreRoundedApart() throws {
    let convolutions = ["a", "b"].map { Node("Conv", inputs: ["x", "w"], outputs: [$0]) }
    let model = model(
      convolutions + [
        Node("Concat", inputs: ["a", "b"], outputs: ["c"], attributes: ["axis": .int(1)])
      ]
        + pair("c", "y"), [1, 3, 4, 4], scale: Tensor(scalar: Float(0.1)),
      zeroPoint: Tensor(scalar: UInt16(300)), constants: ["w": .random([5, 3, 1, 1], seed: 1)])
    let inputs = ["x": Tensor.random([1, 3, 4, 4], seed: 2)]
    let compiled = try CompiledModel(model)
    let apart = try CompiledModel(model, keeping: ["a", "b", "c"])
    let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
    #expect(kinds.filter { $0 == "round to codes" }.count == 1)
    var told: [[String: Tensor]] = []
    for network in [compiled, apart] {
      var values: [String: Tensor] = [:]
      let outputs = try network.run(inputs, observing: ["a", "b", "c"]) { values[$0] = $1 }
      told.append(values.merging(outputs) { $1 })
    }
    #expect(Set(told[0].keys) == ["a", "b", "c", "y"])
    for (name, value) in told[0] { #expect(told[1][name]!.isIdentical(to: value), "\(name)") }
  }
}
