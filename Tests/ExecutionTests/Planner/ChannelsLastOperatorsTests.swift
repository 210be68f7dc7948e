import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// One operator on images that lie with the channels innermost, in float and between codes.
struct ChannelsLastCase: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let operation: OperatorName
  /// What follows the images among the inputs; the images come second where `imagesAreSecond`.
  var operands: [Tensor?] = []
  var imagesAreSecond = false
  var attributes: [String: AttributeValue] = [:]
  /// The scale of the output's codes in parts of the input's: 1 where codes pass.
  var scaleFactor: Float = 1
  /// What the step is called on codes.
  var kind: String

  static let images: Shape = [2, 5, 7, 6]

  static let all: [ChannelsLastCase] = pixels + pools + bounds

  private static func int64s(_ values: Int64...) -> Tensor { Tensor(values) }

  private static let pixels: [ChannelsLastCase] = [
    .init("Pad", [int64s(0, 0, 1, 2, 0, 0, 3, 0)], kind: "pixels"),
    .init("Pad", [int64s(0, 0, 1, 2, 0, 0, 3, 0), Tensor(scalar: Float(0.4))], kind: "pixels"),
    .init("Pad", [int64s(0, 0, -1, 2, 0, 0, 3, -2)], kind: "pixels"),
    .init(
      "Pad", [int64s(0, 0, 1, 2, 0, 0, 3, 0)], ["mode": .string("reflect")], kind: "pixels"),
    .init(
      "Pad", [int64s(2, 1, 0, 3), nil, int64s(-1, 2)], ["mode": .string("edge")], kind: "pixels"),
    .init("Resize", [nil, Tensor([Float(1), 1, 2, 1.5])], kind: "pixels"),
    .init(
      "Resize", [nil, nil, int64s(2, 5, 3, 13)],
      [
        "coordinate_transformation_mode": .string("asymmetric"), "nearest_mode": .string("floor"),
      ], kind: "pixels"),
    .init("Resize", [nil, nil, int64s(14, 3)], ["axes": .ints([2, -1])], kind: "pixels"),
    .init("Slice", [int64s(1, 5), int64s(7, -100), int64s(2, -1), int64s(2, -1)], kind: "pixels"),
  ]

  private static let pools: [ChannelsLastCase] = [
    .pool(["kernel_shape": .ints([3, 3])]),
    .pool(["kernel_shape": .ints([2, 3]), "strides": .ints([2, 1]), "pads": .ints([1, 1, 0, 2])]),
    .pool(["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]), "ceil_mode": .int(1)]),
    .pool([
      "kernel_shape": .ints([3, 2]), "strides": .ints([2, 2]), "pads": .ints([1, 0, 1, 1]),
      "count_include_pad": .int(1), "ceil_mode": .int(1),
    ]),
    .pool(["kernel_shape": .ints([2, 2]), "dilations": .ints([2, 3])]),
    .pool(["kernel_shape": .ints([7, 6])]),
    .init("AveragePool", [], ["kernel_shape": .ints([2, 1])], kind: "int8 average pool"),
  ]

  private static func pool(_ attributes: [String: AttributeValue]) -> ChannelsLastCase {
    .init("AveragePool", [], attributes, scale: 0.6, kind: "int8 average pool")
  }

  private static let perChannel = Tensor([Float(-0.5), 0, 0.31, 0.9, 7], shape: [1, 5, 1, 1])

  private static let bounds: [ChannelsLastCase] = [
    .init("Min", [perChannel], kind: "int8 min"), .init("Max", [perChannel], kind: "int8 max"),
    .init("Min", [perChannel], scale: 0.7, kind: "int8 min"),
    .init("Min", [perChannel.reshaped(to: [5, 1, 1])], second: true, kind: "int8 min"),
    .init("Min", [Tensor(scalar: Float(0.33))], scale: 1.3, kind: "table"),
    .init("Max", [Tensor(scalar: Float(0.33))], kind: "table"),
  ]

  private init(
    _ operation: OperatorName, _ operands: [Tensor?], _ attributes: [String: AttributeValue] = [:],
    scale: Float = 1, second: Bool = false, kind: String
  ) {
    testDescription =
      "\(operation) \(operands.map { $0.map { "\($0)" } ?? "-" }) \(attributes) \(scale)"
    (self.operation, self.operands, self.attributes) = (operation, operands, attributes)
    (scaleFactor, imagesAreSecond, self.kind) = (scale, second, kind)
  }

  /// The operator behind a pooling of single pixels, which lays images with their channels innermost.
  func model(codes: ElementType?) -> Model {
    var constants: [String: Tensor] = [:]
    var names = operands.indices.map { operands[$0] == nil ? "" : "operand\($0)" }
    for (name, operand) in zip(names, operands) where operand != nil { constants[name] = operand }
    names.insert("p", at: imagesAreSecond ? 1 : 0)
    let pool = Node(
      "MaxPool", inputs: ["xd"], outputs: ["p0"], attributes: ["kernel_shape": .ints([1, 1])])
    let operation = Node(operation, inputs: names, outputs: ["r"], attributes: attributes)
    let input = Graph.Value("x", ValueType(.float32, Self.images))
    guard let codes else {
      return Model(
        Graph(
          nodes: [
            Node("Neg", inputs: ["x"], outputs: ["xd"]), pool,
            Node("Relu", inputs: ["p0"], outputs: ["p"]), operation,
          ], inputs: [input], outputs: [.init("r", .init(.float32, nil))], constants: constants),
        opset: 19)
    }
    func pair(_ x: String, _ y: String, _ scale: String) -> [Node] {
      [
        Node("QuantizeLinear", inputs: [x, scale, "zero"], outputs: [y + "q"]),
        Node("DequantizeLinear", inputs: [y + "q", scale, "zero"], outputs: [y]),
      ]
    }
    constants["sx"] = Tensor(scalar: Float(0.02))
    constants["sy"] = Tensor(scalar: Float(0.02) * scaleFactor)
    constants["zero"] = codes == .int8 ? Tensor(scalar: Int8(-11)) : Tensor(scalar: UInt8(117))
    return Model(
      Graph(
        nodes: pair("x", "xd", "sx") + [pool] + pair("p0", "p", "sx") + [operation]
          + pair("r", "y", "sy"),
        inputs: [input], outputs: [.init("y", .init(.float32, nil))], constants: constants),
      opset: 19)
  }
}

extension ChannelsLastCase {
  /// The quantized means of the quantized inputs as ONNX Runtime computes them: the zero point is added before rounding.
  func means(_ inputs: [String: Tensor], _ zeroPoint: Float) throws -> Tensor {
    let (low, high): (Float, Float) = zeroPoint < 0 ? (-128, 127) : (0, 255)
    func numbers(_ codes: [Float], _ scale: Float, _ shape: Shape) -> Tensor {
      Tensor(codes.map { (min(max($0, low), high) - zeroPoint) * scale }, shape: shape)
    }
    let x = inputs["x"]!
    let given = numbers(
      x.floats.map { ($0 / 0.02).rounded(.toNearestOrEven) + zeroPoint }, 0.02, x.shape)
    let means = try runNode(operation, [given], attributes, opset: 19)[0]
    let scale = Float(0.02) * scaleFactor
    return numbers(
      means.floats.map { ($0 / scale + zeroPoint).rounded(.toNearestOrEven) }, scale, means.shape)
  }
}

@Suite struct ChannelsLastOperatorsTests {
  private let inputs = ["x": Tensor.random(ChannelsLastCase.images, seed: 5)]

  @Test(arguments: ChannelsLastCase.all, [nil, ElementType.uint8, .int8])
  func equalsTheReference(_ test: ChannelsLastCase, _ codes: ElementType?) throws {
    let model = test.model(codes: codes)
    let expected = try Interpreter(model).run(inputs)
    let compiled = try CompiledModel(model)
    let found = try compiled.run(inputs)
    for (name, value) in expected {
      let result = try #require(found[name])
      if codes == nil {
        #expect(largestDifference(result, value) < 1e-6)
      } else if test.operation == "AveragePool" {
        #expect(result.isIdentical(to: try test.means(inputs, codes == .int8 ? -11 : 117)))
      } else {
        #expect(result.isIdentical(to: value))
      }
    }
    let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
    #expect(!kinds.contains("\(test.operation)") || codes == nil, "\(kinds)")
    if codes != nil { #expect(kinds.contains(test.kind), "\(kinds)") }
    if test.kind == "pixels" { #expect(kinds.contains("pixels"), "\(kinds)") }
  }

  @Test(arguments: [1, 4, 5], [0.75, 0.6])
  func responsesAreNormalized(_ size: Int, _ beta: Float) throws {
    let attributes: [String: AttributeValue] = [
      "size": .int(size), "alpha": .float(0.5), "beta": .float(beta), "bias": .float(2),
    ]
    let graph = Graph(
      nodes: [
        Node("MaxPool", inputs: ["x"], outputs: ["p"], attributes: Self.pool),
        Node("LRN", inputs: ["p"], outputs: ["y"], attributes: attributes),
      ], inputs: [.init("x", .init(.float32, ChannelsLastCase.images))],
      outputs: [.init("y", .init(.float32, nil))])
    let model = Model(graph)
    let compiled = try CompiledModel(model)
    let expected = try Interpreter(model).run(inputs)["y"]!
    #expect(largestDifference(try compiled.run(inputs)["y"]!, expected) < 1e-6)
    #expect(
      try #require(try compiled.plan(for: inputs)).steps.contains {
        $0.kind == "response normalization"
      })
  }

  /// A product of images `x` and factors `f` of channels, which the given nodes compute.
  private func scaling(
    _ images: Int, _ nodes: [Node], _ constants: [String: Tensor] = [:]
  ) -> (model: Model, inputs: [String: Tensor]) {
    let factors = Shape([images, 5, 1, 1])
    let graph = Graph(
      nodes: nodes,
      inputs: [
        .init("x", .init(.float32, ChannelsLastCase.images)), .init("f", .init(.float32, factors)),
      ], outputs: [.init("y", .init(.float32, nil))], constants: constants)
    return (Model(graph), inputs.merging(["f": .random(factors, seed: 6)]) { $1 })
  }

  private static let pool = ["kernel_shape": AttributeValue.ints([1, 1])]

  /// Products of images with one number per channel, or per image and channel, as squeeze-and-excitation makes them.
  @Test(arguments: [1, 2], [false, true])
  func channelsAreScaled(_ images: Int, _ isSecond: Bool) throws {
    let (model, inputs) = scaling(
      images,
      [
        Node("MaxPool", inputs: ["x"], outputs: ["p"], attributes: Self.pool),
        Node("Mul", inputs: isSecond ? ["f", "p"] : ["p", "f"], outputs: ["y"]),
      ])
    let compiled = try CompiledModel(model)
    #expect(try compiled.run(inputs)["y"]!.isIdentical(to: Interpreter(model).run(inputs)["y"]!))
    #expect(
      try #require(try compiled.plan(for: inputs)).steps.contains { $0.kind == "float multiply" })
  }

  @Test(arguments: [1, 2], [false, true])
  func channelsOfCodesAreScaled(_ images: Int, _ isSecond: Bool) throws {
    var nodes: [Node] = []
    func pair(_ x: String, _ y: String, like z: String? = nil) {
      let (s, z) = ("s" + (z ?? y), "z" + (z ?? y))
      nodes.append(Node("QuantizeLinear", inputs: [x, s, z], outputs: [y + "q"]))
      nodes.append(Node("DequantizeLinear", inputs: [y + "q", s, z], outputs: [y]))
    }
    pair("x", "a")
    nodes.append(Node("MaxPool", inputs: ["a"], outputs: ["m"], attributes: Self.pool))
    pair("m", "p", like: "a")
    pair("f", "g")
    nodes.append(Node("Mul", inputs: isSecond ? ["g", "p"] : ["p", "g"], outputs: ["r"]))
    pair("r", "y")
    let (model, inputs) = scaling(
      images, nodes,
      [
        "sa": Tensor(scalar: Float(0.02)), "za": Tensor(scalar: UInt8(120)),
        "sg": Tensor(scalar: Float(0.017)), "zg": Tensor(scalar: UInt8(131)),
        "sy": Tensor(scalar: Float(0.03)), "zy": Tensor(scalar: UInt8(125)),
      ])
    let compiled = try CompiledModel(model)
    let found = try compiled.run(inputs)["y"]!
    let expected = try Interpreter(model).run(inputs)["y"]!
    #expect(largestDifference(found, expected) < 0.0301)
    let same = zip(found.floats, expected.floats).count { $0 == $1 }
    #expect(Double(same) > 0.99 * Double(found.count))
    let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
    #expect(kinds.contains("int8 multiply"), "\(kinds)")
  }

  @Test(arguments: [OperatorName("Min"), "Max"], [Float(0.02), 0.03])
  func codesOfTwoValuesAreCompared(_ operation: OperatorName, _ scale: Float) throws {
    var nodes: [Node] = []
    for (x, y) in [("x", "a"), ("z", "b")] {
      nodes.append(Node("QuantizeLinear", inputs: [x, "s" + y, "zero"], outputs: [y + "q"]))
      nodes.append(Node("DequantizeLinear", inputs: [y + "q", "s" + y, "zero"], outputs: [y]))
    }
    nodes.append(Node(operation, inputs: ["a", "b"], outputs: ["r"]))
    nodes.append(Node("QuantizeLinear", inputs: ["r", "sa", "zero"], outputs: ["q"]))
    nodes.append(Node("DequantizeLinear", inputs: ["q", "sa", "zero"], outputs: ["y"]))
    let type = ValueType(.float32, ChannelsLastCase.images)
    let model = Model(
      Graph(
        nodes: nodes, inputs: [.init("x", type), .init("z", type)],
        outputs: [.init("y", .init(.float32, nil))],
        constants: [
          "sa": Tensor(scalar: Float(0.02)), "sb": Tensor(scalar: scale),
          "zero": Tensor(scalar: Int8(4)),
        ]))
    let inputs = self.inputs.merging(["z": .random(ChannelsLastCase.images, seed: 8)]) { $1 }
    let compiled = try CompiledModel(model)
    #expect(try compiled.run(inputs)["y"]!.isIdentical(to: Interpreter(model).run(inputs)["y"]!))
    let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
    #expect(kinds.contains(operation == "Min" ? "int8 min" : "int8 max"), "\(kinds)")
  }
}
