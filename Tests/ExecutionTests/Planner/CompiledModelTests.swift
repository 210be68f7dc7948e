import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// A small convolution and what surrounds it.
struct ConvolutionCase: CustomTestStringConvertible, Sendable {
  var channels = 8
  var outputs = 16
  var size = 9
  var kernel = 3
  var stride = 1
  var dilation = 1
  var pad = 1
  var groups = 1
  var images = 1

  var testDescription: String {
    "\(images)×\(channels)→\(outputs) \(size)² k\(kernel) s\(stride) d\(dilation) p\(pad) g\(groups)"
  }

  static let all: [ConvolutionCase] = [
    .init(), .init(stride: 2), .init(kernel: 1, pad: 0), .init(kernel: 1, stride: 2, pad: 0),
    .init(kernel: 5, pad: 2), .init(dilation: 2, pad: 2), .init(groups: 2), .init(groups: 8),
    .init(channels: 16, outputs: 16, groups: 16), .init(channels: 3, outputs: 24, stride: 2),
    .init(channels: 3, outputs: 5, size: 8, kernel: 7, stride: 2, pad: 3), .init(channels: 1),
    .init(channels: 70, outputs: 70, size: 5, kernel: 5, stride: 2, pad: 2, groups: 70),
    .init(channels: 130, outputs: 65, size: 7, kernel: 1, pad: 0), .init(images: 3),
    .init(channels: 3, images: 2), .init(channels: 12, outputs: 12, groups: 12, images: 2),
    .init(channels: 4, outputs: 8, kernel: 1, pad: 0, images: 3), .init(size: 1, pad: 1),
    // Taps and pixels so far apart that an image with all its padding would take gigabytes.
    .init(channels: 2, outputs: 3, size: 1, kernel: 2, dilation: 15000, pad: 7500, images: 2),
    .init(channels: 64, outputs: 4, size: 2, kernel: 2, dilation: 1 << 30, pad: 1 << 29),
    .init(size: 3, kernel: 2, stride: 30000, pad: 15000, groups: 2),
  ]

  var attributes: [String: AttributeValue] {
    [
      "kernel_shape": .ints([kernel, kernel]), "strides": .ints([stride, stride]),
      "dilations": .ints([dilation, dilation]), "pads": .ints([pad, pad, pad, pad]),
      "group": .int(groups),
    ]
  }

  var input: Shape { [images, channels, size, size] }
  var weights: Shape { [outputs, channels / groups, kernel, kernel] }

  /// Conv → Clip → MaxPool, all in float.
  func floatModel() -> Model {
    Model(
      Graph(
        nodes: [
          Node("Conv", inputs: ["x", "w", "b"], outputs: ["c"], attributes: attributes),
          Node("Clip", inputs: ["c", "low", "high"], outputs: ["y"]),
        ],
        inputs: [
          .init("x", .init(.float32, [.named("N")] + input.dimensions[1...].map { .fixed($0) }))
        ],
        outputs: [.init("y", .init(.float32, nil))],
        constants: [
          "w": .random(weights, seed: 1, deviation: 0.3), "b": .random([outputs], seed: 2),
          "low": Tensor(scalar: Float(0)), "high": Tensor(scalar: Float(6)),
        ]))
  }

  /// The same with codes between all nodes.
  func quantizedModel(activation: ElementType, hasWeightZeroPoints: Bool) -> Model {
    let isSigned = activation == .int8
    func zero(_ value: Int) -> Tensor {
      isSigned ? Tensor(scalar: Int8(value - 128)) : Tensor(scalar: UInt8(value))
    }
    let weightScales = (0..<outputs).map { 0.002 + 0.0001 * Float($0 % 7) }
    let inputScale: Float = 0.03
    var generator = SeededGenerator(seed: 9)
    let bias = (0..<outputs).map { _ in Int32(generator.index(below: 20000)) - 10000 }
    let zeroPoints = (0..<outputs).map { Int8(hasWeightZeroPoints ? $0 % 5 - 2 : 0) }
    let graph = Graph(
      nodes: [
        Node("QuantizeLinear", inputs: ["x", "sx", "zx"], outputs: ["xq"]),
        Node("DequantizeLinear", inputs: ["xq", "sx", "zx"], outputs: ["xd"]),
        Node(
          "DequantizeLinear", inputs: ["wq", "sw", "zw"], outputs: ["w"],
          attributes: ["axis": .int(0)]),
        Node(
          "DequantizeLinear", inputs: ["bq", "sb"], outputs: ["b"], attributes: ["axis": .int(0)]),
        Node("Conv", inputs: ["xd", "w", "b"], outputs: ["c"], attributes: attributes),
        Node("Clip", inputs: ["c", "low", "high"], outputs: ["r"]),
        Node("QuantizeLinear", inputs: ["r", "sy", "zy"], outputs: ["yq"]),
        Node("DequantizeLinear", inputs: ["yq", "sy", "zy"], outputs: ["y"]),
      ],
      inputs: [.init("x", .init(.float32, input))],
      outputs: [.init("y", .init(.float32, nil))],
      constants: [
        "sx": Tensor(scalar: inputScale), "zx": zero(120),
        "wq": .randomCodes(weights, seed: 4), "sw": Tensor(weightScales), "zw": Tensor(zeroPoints),
        "bq": Tensor(bias), "sb": Tensor(weightScales.map { inputScale * $0 }),
        "low": Tensor(scalar: Float(0)), "high": Tensor(scalar: Float(6)),
        "sy": Tensor(scalar: Float(0.025)), "zy": zero(3),
      ])
    return Model(graph)
  }
}

@Suite struct CompiledModelTests {
  @Test func aConvolutionOfNoChannelsIsZero() throws {
    let test = ConvolutionCase(channels: 0, outputs: 3)
    let inputs = ["x": Tensor.random(test.input, seed: 3)]
    let expected = try Interpreter(test.floatModel()).run(inputs)["y"]!
    #expect(try CompiledModel(test.floatModel()).run(inputs)["y"]!.isIdentical(to: expected))
  }

  @Test(arguments: ConvolutionCase.all) func floatEqualsTheReference(_ test: ConvolutionCase) throws
  {
    let model = test.floatModel()
    let inputs = ["x": Tensor.random(test.input, seed: 3)]
    let expected = try Interpreter(model).run(inputs)["y"]!
    let compiled = try CompiledModel(model)
    let found = try compiled.run(inputs)["y"]!
    #expect(largestDifference(found, expected) < 1e-4)
    #expect(try compiled.run(inputs)["y"]!.isIdentical(to: found))
    let mapped = try CompiledModel(model.withConstantsAtOddAddresses())
    #expect(try mapped.run(inputs)["y"]!.isIdentical(to: found))
    let plan = try #require(try compiled.plan(for: inputs))
    #expect(plan.steps.contains { $0.kind.contains("convolution") })
    #expect(!plan.steps.contains { $0.kind == "Clip" })
  }

  @Test(
    arguments: ConvolutionCase.all, [ElementType.uint8, .int8])
  func codesAreWithinAStepOfTheReference(
    _ test: ConvolutionCase, _ activation: ElementType
  ) throws {
    for hasWeightZeroPoints in [false, true] {
      let model = test.quantizedModel(
        activation: activation, hasWeightZeroPoints: hasWeightZeroPoints)
      let inputs = ["x": Tensor.random(test.input, seed: 3)]
      let expected = try Interpreter(model).run(inputs)["y"]!
      let compiled = try CompiledModel(model)
      let found = try compiled.run(inputs)["y"]!
      #expect(largestDifference(found, expected) < 0.0251)
      let same = zip(found.elements(of: Float.self), expected.elements(of: Float.self))
        .count { $0 == $1 }
      #expect(Double(same) > 0.99 * Double(found.count))
      let plan = try #require(try compiled.plan(for: inputs))
      #expect(plan.steps.contains { $0.kind.hasPrefix("int8") })
    }
  }

  @Test func otherShapesGetPlansOfTheirOwn() throws {
    let model = ConvolutionCase().floatModel()
    let compiled = try CompiledModel(model)
    for images in [1, 4, 2, 1] {
      let inputs = ["x": Tensor.random([images, 8, 9, 9], seed: UInt64(images))]
      let expected = try Interpreter(model).run(inputs)["y"]!
      #expect(largestDifference(try compiled.run(inputs)["y"]!, expected) < 1e-4)
    }
  }

  @Test
  func resultsDoNotDependOnThreads() throws {
    let test = ConvolutionCase(channels: 32, outputs: 64, size: 33)
    let model = test.quantizedModel(activation: .uint8, hasWeightZeroPoints: false)
    let inputs = ["x": Tensor.random(test.input, seed: 3)]
    let threads = Threads.count
    defer { Threads.count = threads }
    let results = try [1, 2, 3].map { count in
      Threads.count = count
      return try CompiledModel(model).run(inputs)["y"]!
    }
    #expect(results[0].isIdentical(to: results[1]))
    #expect(results[0].isIdentical(to: results[2]))
  }

  @Test func saysWhichInputIsWrong() throws {
    let compiled = try CompiledModel(ConvolutionCase().floatModel())
    #expect {
      try compiled.run(["x": Tensor.random([1, 7, 9, 9], seed: 0)])
    } throws: { error in
      "\(error)" == "x: is float32[1, 7, 9, 9]; the network takes float32[N, 8, 9, 9]"
    }
    #expect {
      try compiled.run(["z": Tensor.random([1], seed: 0)])
    } throws: { error in
      "\(error)" == "unknown input 'z'; the network has 'x'"
    }
  }
}
