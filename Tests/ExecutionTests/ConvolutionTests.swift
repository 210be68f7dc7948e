import Graphs
import Tensors
import Testing

/// A convolution by its definition, in double precision.
struct ConvolutionExample: CustomTestStringConvertible, Sendable {
  var input: [Int]
  var weights: [Int]
  var group = 1
  var strides: [Int]? = nil
  var dilations: [Int]? = nil
  var pads: [Int]? = nil
  var autoPad: String? = nil

  var testDescription: String { "\(input) \(weights) group \(group)" }

  var attributes: [String: AttributeValue] {
    var attributes: [String: AttributeValue] = ["group": .int(group)]
    attributes["strides"] = strides.map { .ints($0) }
    attributes["dilations"] = dilations.map { .ints($0) }
    attributes["pads"] = pads.map { .ints($0) }
    attributes["auto_pad"] = autoPad.map { .string($0) }
    return attributes
  }

  /// The result for a given output shape, of which padding at the begin is known.
  func expected(_ x: [Float], _ w: [Float], _ bias: [Float], shape: Shape, begins: [Int]) -> Tensor
  {
    let rank = input.count - 2
    let kernel = Shape(Array(weights.dropFirst(2)))
    let pixels = Shape(Array(input.dropFirst(2)))
    let positions = Shape(Array(shape.dimensions.dropFirst(2)))
    let (perGroup, outputs) = (weights[1], weights[0])
    func index(_ flat: Int, _ shape: Shape) -> [Int] {
      (0..<rank).map { flat / shape.strides[$0] % shape[$0] }
    }
    let taps = (0..<kernel.count).map { index($0, kernel) }
    var result: [Float] = []
    for image in 0..<input[0] {
      for output in 0..<outputs {
        let first = output / (outputs / group) * perGroup
        for flat in 0..<positions.count {
          let position = index(flat, positions)
          var sum = Double(bias[output])
          for (tap, offset) in taps.enumerated() {
            guard let pixel = pixel(position, offset, begins, pixels) else { continue }
            for channel in 0..<perGroup {
              let plane: Int = image * input[1] + first + channel
              let weight: Int = (output * perGroup + channel) * kernel.count + tap
              sum += Double(x[plane * pixels.count + pixel]) * Double(w[weight])
            }
          }
          result.append(Float(sum))
        }
      }
    }
    return Tensor(result, shape: shape)
  }

  /// The pixel under a tap, nil in the padding.
  private func pixel(_ position: [Int], _ tap: [Int], _ begins: [Int], _ pixels: Shape) -> Int? {
    var result = 0
    for axis in position.indices {
      let start: Int = position[axis] * (strides?[axis] ?? 1)
      let index: Int = start + tap[axis] * (dilations?[axis] ?? 1) - begins[axis]
      guard index >= 0, index < pixels[axis] else { return nil }
      result = result * pixels[axis] + index
    }
    return result
  }

  var begins: [Int] {
    pads.map { Array($0.prefix(input.count - 2)) } ?? input.dropFirst(2).map { _ in 0 }
  }
}

@Suite struct ConvolutionTests {
  static let examples: [ConvolutionExample] = [
    .init(input: [1, 3, 8, 7], weights: [4, 3, 3, 3], pads: [1, 1, 1, 1]),
    .init(input: [2, 3, 8, 7], weights: [4, 3, 1, 1]),
    .init(input: [3, 2, 5, 5], weights: [2, 2, 1, 1], strides: [2, 2]),
    .init(input: [1, 4, 6, 6], weights: [6, 2, 3, 3], group: 2, strides: [2, 1]),
    .init(input: [1, 4, 6, 6], weights: [6, 2, 1, 1], group: 2),
    .init(
      input: [2, 5, 9, 9], weights: [5, 1, 3, 3], group: 5, strides: [2, 2], pads: [0, 1, 2, 1]),
    .init(input: [1, 3, 6, 6], weights: [6, 1, 3, 3], group: 3, pads: [1, 1, 1, 1]),
    .init(input: [5, 2, 7, 7], weights: [3, 2, 3, 2], dilations: [2, 3], pads: [2, 0, 1, 3]),
    .init(input: [2, 3, 11], weights: [4, 3, 4], strides: [3], pads: [2, 1]),
    .init(
      input: [1, 2, 4, 5, 6], weights: [3, 2, 2, 3, 2], strides: [1, 2, 2],
      pads: [1, 0, 1, 0, 1, 0]),
    .init(input: [1, 40, 3, 3], weights: [70, 40, 3, 3], pads: [1, 1, 1, 1]),
    .init(input: [1, 3, 2, 2], weights: [3, 1, 1, 1], group: 3),
    // Enough positions for several blocks of them.
    .init(input: [2, 2, 130, 130], weights: [2, 1, 3, 3], group: 2, pads: [1, 1, 1, 1]),
    .init(input: [1, 2, 150, 151], weights: [1, 2, 3, 3]),
    .init(input: [0, 3, 4, 4], weights: [2, 3, 3, 3]),
  ]

  @Test(arguments: examples) func equalsTheDefinition(_ example: ConvolutionExample) throws {
    let x = randomFloats(example.input, seed: 1)
    let w = randomFloats(example.weights, seed: 2)
    let bias = randomFloats([example.weights[0]], seed: 3)
    let result = try runNode("Conv", [x, w, bias], example.attributes)[0]
    let expected = example.expected(
      x.floats, w.floats, bias.floats, shape: result.shape, begins: example.begins)
    #expect(result.isClose(to: expected))
    let zeros = [Float](repeating: 0, count: bias.count)
    let plain = example.expected(
      x.floats, w.floats, zeros, shape: result.shape, begins: example.begins)
    #expect(try runNode("Conv", [x, w], example.attributes)[0].isClose(to: plain))
    let wide = [x, w, bias].map { Tensor($0.floats.map { Double($0) }, shape: $0.shape) }
    let double = try runNode("Conv", wide, example.attributes)[0]
    let narrowed = Tensor(double.elements(of: Double.self).map { Float($0) }, shape: double.shape)
    #expect(narrowed.isClose(to: expected))
  }

  @Test func sameBytesForAnyNumberOfThreads() throws {
    let before = Threads.count
    defer { Threads.count = before }
    for example in ConvolutionTests.examples {
      let inputs = [randomFloats(example.input, seed: 1), randomFloats(example.weights, seed: 2)]
      Threads.count = 1
      let one = try runNode("Conv", inputs, example.attributes)[0]
      Threads.count = 3
      #expect(try runNode("Conv", inputs, example.attributes)[0].isIdentical(to: one))
    }
  }

  @Test(arguments: ["SAME_UPPER", "SAME_LOWER"]) func padsToTheSameLength(_ mode: String) throws {
    var example = ConvolutionExample(
      input: [1, 1, 5, 6], weights: [1, 1, 2, 3], strides: [1, 2], autoPad: mode)
    let (x, w) = (randomFloats(example.input, seed: 1), randomFloats(example.weights, seed: 2))
    let result = try runNode("Conv", [x, w], example.attributes)[0]
    #expect(result.shape == [1, 1, 5, 3])
    example.autoPad = nil
    // Totals of 1 and 1: the odd one goes to the end, or the begin.
    example.pads = mode == "SAME_UPPER" ? [0, 0, 1, 1] : [1, 1, 0, 0]
    #expect(try runNode("Conv", [x, w], example.attributes)[0].isIdentical(to: result))
  }

  @Test func codesAreSummedExactly() throws {
    let x = Tensor((0..<9).map { UInt8($0 * 28) }, shape: [1, 1, 3, 3])
    let w = Tensor([Int8(-128), 127, 3, -4, 1, 1, 1, 1], shape: [2, 1, 2, 2])
    let zeros = [Tensor(scalar: UInt8(100)), Tensor([Int8(1), -2])]
    let result = try runNode("ConvInteger", [x, w] + zeros, ["pads": .ints([1, 1, 0, 0])])[0]
    #expect(result.elementType == .int32 && result.shape == [1, 2, 3, 3])
    let centered = Tensor((0..<9).map { Float($0 * 28 - 100) }, shape: [1, 1, 3, 3])
    let weights = Tensor([Float(-129), 126, 2, -5, 3, 3, 3, 3], shape: [2, 1, 2, 2])
    let float = try runNode("Conv", [centered, weights], ["pads": .ints([1, 1, 0, 0])])[0]
    #expect(result.integers().map { Float($0) } == float.floats)
    #expect(
      problem("ConvInteger", [x, w, Tensor([UInt8(1), 2])]).contains("zero point is uint8[2]"))
  }

  @Test func fusedActivations() throws {
    let (x, w) = (randomFloats([1, 2, 3, 3], seed: 1), randomFloats([2, 2, 1, 1], seed: 2))
    let z = randomFloats([1, 2, 3, 3], seed: 3)
    let plain = try runNode("Conv", [x, w])[0]
    let sum = try runNode("Add", [plain, z])[0]
    let fused = try runNode(
      .microsoft("FusedConv"), [x, w, nil, z], ["activation": .string("Relu")])[0]
    #expect(fused.isClose(to: try runNode("Relu", [sum])[0]))
    let clipped = try runNode(
      .microsoft("FusedConv"), [x, w],
      ["activation": .string("Clip"), "activation_params": .floats([-0.5, 0.5])])[0]
    let bounds = [Tensor(scalar: Float(-0.5)), Tensor(scalar: Float(0.5))]
    #expect(clipped.isClose(to: try runNode("Clip", [plain] + bounds)[0]))
    let leaky = try runNode(
      .microsoft("FusedConv"), [x, w],
      ["activation": .string("LeakyRelu"), "activation_params": .floats([0.25])])[0]
    #expect(leaky.isClose(to: try runNode("LeakyRelu", [plain], ["alpha": .float(0.25)])[0]))
  }

  @Test func refusesWhatDoesNotGoTogether() {
    let (x, w) = (randomFloats([1, 3, 4, 4], seed: 1), randomFloats([2, 3, 5, 5], seed: 2))
    #expect(
      problem("Conv", [x, w])
        == "node: the kernel reaches over 5 elements of spatial axis 0, which has 4 and 0 + 0 of padding"
    )
    #expect(
      problem("Conv", [x, randomFloats([2, 2, 3, 3], seed: 2)])
        == "node: the input has 3 channels, the weights 2 in each of 1 groups")
    let weights = randomFloats([2, 3, 3, 3], seed: 2)
    #expect(
      problem("Conv", [x, weights, floats([1])])
        == "node: the bias is float32[1]; must be a vector of length 2")
    #expect(
      problem("Conv", [x, weights, Tensor([1.0, 2.0])])
        == "node: the bias is float64[2]; must be float32 as the input")
  }
}

@Suite struct ConvTransposeTests {
  /// ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩: it is the transpose of the convolution with the same weights.
  @Test(arguments: ConvolutionTests.examples.filter { $0.input[0] > 0 && $0.autoPad == nil })
  func isTheTranspose(_ example: ConvolutionExample) throws {
    let x = randomFloats(example.input, seed: 1)
    let w = randomFloats(example.weights, seed: 2)
    let forward = try runNode("Conv", [x, w], example.attributes)[0]
    let y = randomFloats(forward.shape.dimensions, seed: 3)
    var attributes = example.attributes
    // What the strides pass over at the end is added back.
    let rank = example.input.count - 2
    attributes["output_padding"] = .ints(
      (0..<rank).map { axis in
        let reach = (example.weights[axis + 2] - 1) * (example.dilations?[axis] ?? 1) + 1
        let pads = example.pads.map { $0[axis] + $0[axis + rank] } ?? 0
        return (example.input[axis + 2] + pads - reach) % (example.strides?[axis] ?? 1)
      })
    let back = try runNode("ConvTranspose", [y, w], attributes)[0]
    #expect(back.shape == x.shape)
    func product(_ a: Tensor, _ b: Tensor) -> Double {
      zip(a.floats, b.floats).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let (left, right) = (product(forward, y), product(x, back))
    #expect(abs(left - right) <= 1e-4 * max(abs(left), 1))
  }

  @Test func outputShapes() throws {
    let (x, w) = (floats([1, 2, 3, 4], [1, 1, 2, 2]), floats([1, 1, 1, 1], [1, 1, 2, 2]))
    let bias = floats([10])
    #expect(
      try runNode("ConvTranspose", [x, w, bias])[0].floats
        == [11, 13, 12, 14, 20, 16, 13, 17, 14])
    let strided = ["strides": AttributeValue.ints([2, 2])]
    #expect(
      try runNode("ConvTranspose", [x, w], strided)[0].floats
        == [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
    let asked = strided.merging(["output_shape": .ints([5, 3])]) { $1 }
    let result = try runNode("ConvTranspose", [x, w], asked)[0]
    #expect(result.shape == [1, 1, 5, 3])
    // One column too many: it is cut off at the begin. One row too few: zeros at the end.
    #expect(result.floats == [1, 2, 2, 1, 2, 2, 3, 4, 4, 3, 4, 4, 0, 0, 0])
    let same = strided.merging(["auto_pad": .string("SAME_UPPER")]) { $1 }
    #expect(
      try runNode("ConvTranspose", [x, randomFloats([1, 1, 3, 3], seed: 1)], same)[0].shape == [
        1, 1, 4, 4,
      ])
    #expect(
      problem("ConvTranspose", [x, w], ["pads": .ints([2, 2, 2, 2])])
        .contains("would have -1 elements; padding is too much"))
  }
}
