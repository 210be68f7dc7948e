import Execution
import Graphs
import Tensors
import Testing

@Suite struct QuantizationTests {
  private static let codeTypes: [ElementType] = [
    .uint8, .int8, .uint16, .int16, .uint4, .int4, .uint2, .int2,
  ]

  /// Codes as a tensor of the given type.
  private func codes(_ numbers: [Int], _ type: ElementType, _ shape: Shape) throws -> Tensor {
    try applySingle(
      "Cast", [Tensor(numbers.map { Int64($0) }, shape: shape)], ["to": .int(type.onnxCode)],
      opset: 25)
  }

  @Test(arguments: codeTypes) func everyCodeStaysItself(_ type: ElementType) throws {
    let range = type.integerRange!
    let zero = try codes([range.lowerBound + 1], type, [])
    let all = try codes(Array(range), type, [range.count])
    let scale = Tensor(scalar: Float(0.37))
    let numbers = try applySingle("DequantizeLinear", [all, scale, zero], opset: 25)
    let back = try applySingle("QuantizeLinear", [numbers, scale, zero], opset: 25)
    #expect(back.isIdentical(to: all))
  }

  @Test(arguments: codeTypes) func numbersBeyondTheRangeStopThere(_ type: ElementType) throws {
    let range = type.integerRange!
    let zero = try codes([0], type, [])
    let y = try applySingle(
      "QuantizeLinear", [Tensor([Float(1e9), -1e9, .infinity]), Tensor(scalar: Float(1)), zero],
      opset: 25)
    #expect(y.integers() == [range.upperBound, range.lowerBound, range.upperBound])
  }

  @Test func roundsToEvenBeforeTheZeroPointIsAdded() throws {
    let x = Tensor([Float(0.5), 1.5, 2.5, -0.5, -1.5])
    let y = try applySingle(
      "QuantizeLinear", [x, Tensor(scalar: Float(1)), Tensor(scalar: UInt8(3))])
    #expect(y.elements(of: UInt8.self) == [3, 5, 5, 3, 1])
  }

  @Test func dividesTruly() throws {
    // x times the reciprocal of the scale would be 8.500001, the quotient is 8.5.
    let scale: Float = 0.019588482
    let x = Tensor((0..<600).map { (Float($0 % 256) + 0.5) * scale })
    let y = try applySingle(
      "QuantizeLinear", [x, Tensor(scalar: scale), Tensor(scalar: UInt8(0))])
    let expected = x.elements(of: Float.self).map {
      UInt8(min(($0 / scale).rounded(.toNearestOrEven), 255))
    }
    #expect(y.elements(of: UInt8.self) == expected)
  }

  @Test(arguments: [0, 1, -1]) func scalesAlongAnAxis(_ axis: Int) throws {
    let x = counting([3, 3])
    let scales: [Float] = [1, 2, 4]
    let y = try applySingle(
      "QuantizeLinear", [x, Tensor(scales), Tensor([Int8(0), 10, 20])], ["axis": .int(axis)])
    let expected = (0..<9).map { index in
      let place = axis == 0 ? index / 3 : index % 3
      return Int8((Float(index) / scales[place]).rounded(.toNearestOrEven)) + Int8(place * 10)
    }
    #expect(y.elements(of: Int8.self) == expected)
    let back = try applySingle(
      "DequantizeLinear", [y, Tensor(scales), Tensor([Int8(0), 10, 20])], ["axis": .int(axis)])
    let numbers = expected.enumerated().map { index, code in
      let place = axis == 0 ? index / 3 : index % 3
      return Float(Int(code) - place * 10) * scales[place]
    }
    #expect(back.elements(of: Float.self) == numbers)
  }

  @Test(arguments: [0, 1, 2]) func scalesInBlocks(_ axis: Int) throws {
    let x = counting([5, 5, 5])
    var lengths = [5, 5, 5]
    lengths[axis] = 3
    let shape = Shape(lengths)
    let scales = (0..<shape.count).map { Float($0 % 7 + 1) }
    let y = try applySingle(
      "DequantizeLinear",
      [
        try codes((0..<125).map { $0 % 16 - 8 }, .int4, x.shape),
        Tensor(scales, shape: shape), nil,
      ], ["axis": .int(axis), "block_size": .int(2)])
    let expected = (0..<125).map { index -> Float in
      var place = [index / 25, index / 5 % 5, index % 5]
      place[axis] /= 2
      let scale = scales[zip(place, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }]
      return Float(index % 16 - 8) * scale
    }
    #expect(y.elements(of: Float.self) == expected)
  }

  @Test func eightBitFloats() throws {
    let zero = Tensor([UInt8(0)], shape: []).reinterpreted(as: .float8e4m3fn)
    let y = try applySingle(
      "QuantizeLinear", [Tensor([Float(2), 3000, -8]), Tensor(scalar: Float(2)), zero])
    let back = try applySingle("DequantizeLinear", [y, Tensor(scalar: Float(2))])
    #expect(back.elements(of: Float.self) == [2, 896, -8])
  }

  @Test func biases() throws {
    let y = try applySingle(
      "DequantizeLinear", [Tensor([Int32(1000), -7]), Tensor([Float(0.5), 2])],
      ["axis": .int(0)])
    #expect(y.elements(of: Float.self) == [500, -14])
  }

  @Test func dynamicRangesContainZero() throws {
    let y = try apply("DynamicQuantizeLinear", [Tensor([Float(1), 2, 5])], outputCount: 3)
    #expect(y[1].elements(of: Float.self) == [5.0 / 255])
    #expect(y[2].elements(of: UInt8.self) == [0])
    #expect(y[0].elements(of: UInt8.self) == [51, 102, 255])
    let zero = try apply("DynamicQuantizeLinear", [Tensor([Float(0), 0])], outputCount: 3)
    #expect(zero[1].elements(of: Float.self) == [1])
    let text = message {
      _ = try apply("DynamicQuantizeLinear", [Tensor([0, Float.nan])], outputCount: 3)
    }
    #expect(text == "node: element 1 of the input is not finite; it has no code")
  }

  @Test(arguments: [ElementType.uint8, .int8]) func additionOfCodes(_ type: ElementType) throws {
    let a = try codes([1, 50, 127], type, [3])
    let b = try codes([2], type, [1])
    let zero = try codes([1], type, [])
    let scale = Tensor(scalar: Float(0.5))
    let y = try applySingle(
      .microsoft("QLinearAdd"), [a, scale, zero, b, scale, zero, Tensor(scalar: Float(1)), zero])
    // (0 + 0.5), (24.5 + 0.5), (63 + 0.5): halves to even, then plus 1.
    #expect(y.integers() == [1, 26, 65])
  }

  @Test func poolingKeepsItsChannelsWhereTheyAre() throws {
    let x = Tensor((0..<24).map { UInt8($0) }, shape: [1, 2, 3, 4])
    let parameters: [Tensor?] = [
      Tensor(scalar: Float(1)), Tensor(scalar: UInt8(0)), Tensor(scalar: Float(1)),
      Tensor(scalar: UInt8(0)),
    ]
    let first = try applySingle(.microsoft("QLinearGlobalAveragePool"), [x] + parameters)
    #expect(first.shape == [1, 2, 1, 1])
    #expect(first.elements(of: UInt8.self) == [6, 18])
    let last = try applySingle(
      .microsoft("QLinearGlobalAveragePool"), [x] + parameters, ["channels_last": .int(1)])
    #expect(last.shape == [1, 1, 1, 4])
    #expect(last.elements(of: UInt8.self) == [10, 11, 12, 13])
  }

  @Test func scalesThatDoNotFit() {
    let text = message {
      _ = try applySingle("QuantizeLinear", [counting([2, 3]), Tensor([Float(1), 2])])
    }
    #expect(text == "node: 2 scales for axis 1 of [2, 3]; must be 3 or one")
    let blocks = message {
      _ = try applySingle(
        "QuantizeLinear", [counting([2, 3]), Tensor([Float(1)])], ["block_size": .int(2)])
    }
    #expect(
      blocks == "node: scales are [1]; must be [2, 2] for blocks of 2 along axis 1 of [2, 3]")
  }
}
