import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Products of activations that are quantized as they come.
@Suite struct DynamicProductTests {
  private static let (rows, inputs, outputs) = (6, 19, 37)

  /// DynamicQuantizeLinear, MatMulInteger and, where `tail` says so, Cast, Mul and Add.
  private func model(
    _ weights: Tensor, zeros: Tensor?, scales: Int = Self.outputs, tail: Int = 3,
    swapped: Bool = false
  ) -> Model {
    var constants: [String: Tensor] = [
      "w": weights, "sw": Tensor((0..<scales).map { Float($0 + 1) * 0.01 }),
      "b": Tensor((0..<Self.outputs).map { Float($0) - 11.3 }),
    ]
    constants["zw"] = zeros
    func pair(_ a: String, _ b: String) -> [String] { swapped ? [b, a] : [a, b] }
    let product = ["q", "w", "z"] + (zeros == nil ? [] : ["zw"])
    let tailNodes = [
      Node("Cast", inputs: ["sums"], outputs: ["numbers"], attributes: ["to": .int(1)]),
      Node("Mul", inputs: pair("s", "sw"), outputs: ["scales"]),
      Node("Mul", inputs: pair("numbers", "scales"), outputs: ["product"]),
      Node("Add", inputs: pair("product", "b"), outputs: ["y"]),
    ]
    let nodes =
      [
        Node("DynamicQuantizeLinear", inputs: ["x"], outputs: ["q", "s", "z"]),
        Node("MatMulInteger", inputs: product, outputs: ["sums"]),
      ] + (tail == 0 ? [] : tail == 2 ? Array(tailNodes.dropLast()) : tailNodes)
    let result = ["sums", "", "product", "y"][tail]
    return Model(
      Graph(
        nodes: nodes,
        inputs: [.init("x", .init(.float32, [.fixed(2), .fixed(3), .fixed(Self.inputs)]))],
        outputs: [.init(result, .init(tail == 0 ? .int32 : .float32, nil))], constants: constants))
  }

  private func kinds(_ model: Model, _ x: Tensor = .random([2, 3, inputs], seed: 3)) throws
    -> [String]
  {
    let compiled = try CompiledModel(model)
    let expected = try Interpreter(model).run(["x": x])
    let found = try compiled.run(["x": x])
    for (name, value) in expected { #expect(found[name]!.isIdentical(to: value), "\(name)") }
    return try #require(try compiled.plan(for: ["x": x])).steps.map(\.kind)
  }

  private static let signed = Tensor(
    (0..<inputs * outputs).map { Int8(truncatingIfNeeded: $0 * 37) }, shape: [inputs, outputs])
  private static let unsigned = Tensor(
    (0..<inputs * outputs).map { UInt8(truncatingIfNeeded: $0 * 41) }, shape: [inputs, outputs])

  private static let weights: [(Tensor, Tensor?)] = [
    (signed, nil), (signed, Tensor(scalar: Int8(-3))),
    (signed, Tensor((0..<outputs).map { Int8($0 % 7 - 3) })), (unsigned, nil),
    (unsigned, Tensor(scalar: UInt8(131))), (unsigned, Tensor((0..<outputs).map { UInt8($0) })),
  ]

  @Test(arguments: weights.indices, [0, 2, 3])
  func areThoseOfTheDefinitions(_ index: Int, _ tail: Int) throws {
    let (weights, zeros) = Self.weights[index]
    for swapped in [false, true] {
      for scales in [1, Self.outputs] {
        let kinds = try kinds(
          model(weights, zeros: zeros, scales: scales, tail: tail, swapped: swapped))
        #expect(kinds == ["dynamic quantize", "int8 product"], "\(kinds)")
      }
    }
  }

  @Test func valuesWithoutARangeAreExact() throws {
    for value in [Float(0), 2.5, -7] {
      let x = Tensor([Float](repeating: value, count: 6 * Self.inputs), shape: [2, 3, Self.inputs])
      _ = try kinds(model(Self.signed, zeros: nil), x)
    }
  }

  @Test func notANumberIsAnError() throws {
    var numbers = [Float](repeating: 1, count: 6 * Self.inputs)
    numbers[20] = .nan
    let x = Tensor(numbers, shape: [2, 3, Self.inputs])
    let network = try CompiledModel(model(Self.signed, zeros: nil))
    let error = #expect(throws: ExecutionError.self) { try network.run(["x": x]) }
    #expect(error?.message == "element 20 of the input is not finite; it has no code")
  }
}
