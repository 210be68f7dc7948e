import Foundation
import NumberFormats
import Tensors
import Testing

@Suite struct QuantizedTensorTests {
  static func random(_ shape: Shape, seed: UInt64 = 1) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor(
      (0..<shape.count).map { _ in Float(generator.normal() * 3 + 0.5) }, shape: shape)
  }

  static let codes: [CodeType] = [
    .int8, .uint8, .int4, .uint4, .int16, .uint16, .signed(bits: 3), .unsigned(bits: 1),
    .powerOfTwo(bits: 4),
  ]

  /// Every code one by one, by the scalar rule.
  static func expected(
    _ tensor: Tensor, _ scheme: QuantizationScheme, _ parameters: QuantizationParameters
  ) -> (codes: [Int], values: [Float]) {
    var result: (codes: [Int], values: [Float]) = ([], [])
    for (offset, x) in tensor.elements(of: Float.self).enumerated() {
      let region = GranularityTests.scaleIndex(
        scheme.granularity, tensor.shape, GranularityTests.index(offset, tensor.shape))
      let (scale, zeroPoint) = (parameters.scales[region], parameters.zeroPoints[region])
      let code = scheme.code(of: x, scale: scale, zeroPoint: zeroPoint)
      result.codes.append(Int(code))
      result.values.append(scheme.value(of: code, scale: scale, zeroPoint: zeroPoint))
    }
    return result
  }

  @Test(arguments: GranularityTests.shapes) func equalsTheScalarRule(_ shape: Shape) throws {
    let tensor = Self.random(shape)
    for granularity in GranularityTests.granularities(of: shape) {
      for code in Self.codes {
        for mapping in Mapping.all {
          guard let scheme = try? QuantizationScheme(code, granularity, mapping) else { continue }
          let parameters = try scheme.parameters(covering: tensor)
          let quantized = try QuantizedTensor(
            quantizing: tensor, scheme: scheme, parameters: parameters)
          let expected = Self.expected(tensor, scheme, parameters)
          #expect(quantized.codes.integers() == expected.codes, "\(scheme) of \(shape)")
          let values = quantized.dequantized()
          #expect(values.elements(of: Float.self) == expected.values, "\(scheme) of \(shape)")
          let again = try QuantizedTensor(
            quantizing: values, scheme: scheme, parameters: parameters)
          #expect(again.dequantized().isIdentical(to: values))
        }
      }
    }
  }

  @Test(arguments: [[300_001], [70, 1000], [3, 50_000], [40_000, 7]] as [Shape])
  func largeTensorsEqualTheScalarRule(_ shape: Shape) throws {
    let tensor = Self.random(shape)
    for granularity in [
      Granularity.perTensor, .perChannel(axis: 0), .perChannel(axis: -1),
      .perGroup(size: 32, axis: -1), .perGroup(size: 48, axis: 0),
    ] {
      let scheme = try QuantizationScheme(.uint4, granularity, .affine)
      let parameters = try scheme.parameters(covering: tensor)
      let quantized = try QuantizedTensor(
        quantizing: tensor, scheme: scheme, parameters: parameters)
      #expect(quantized.codes.integers() == Self.expected(tensor, scheme, parameters).codes)
    }
  }

  @Test(arguments: [ElementType.float16, .bfloat16, .float64])
  func otherFloatsAreWidened(_ type: ElementType) throws {
    let shape: Shape = [40, 70]
    let values = Self.random(shape).elements(of: Float.self).map { Float(Float16($0)) }
    let rounded = type == .bfloat16 ? values.map { $0.rounded() } : values
    let tensor: Tensor =
      switch type {
      case .float64: Tensor(rounded.map { Double($0) }, shape: shape)
      case .float16:
        Tensor(rounded.map { Float16($0).bitPattern }, shape: shape).reinterpreted(as: .float16)
      default:
        Tensor(rounded.map { UInt16($0.bitPattern >> 16) }, shape: shape)
          .reinterpreted(as: .bfloat16)
      }
    for granularity in [Granularity.perTensor, .perChannel(axis: 1), .perGroup(size: 9, axis: 1)] {
      let scheme = try QuantizationScheme(.int8, granularity, .symmetric)
      let wide = try QuantizedTensor(quantizing: Tensor(rounded, shape: shape), scheme: scheme)
      let narrow = try QuantizedTensor(quantizing: tensor, scheme: scheme)
      #expect(narrow.codes.isIdentical(to: wide.codes))
      #expect(narrow.parameters == wide.parameters)
    }
  }

  @Test func mappedTensorsAtAnyOffsetAreTheSame() throws {
    let tensor = Self.random([50, 30])
    let path = NSTemporaryDirectory() + "quantized-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data([7] + tensor.withUnsafeBytes { Array($0) }).write(to: URL(fileURLWithPath: path))
    let mapped = Tensor([50, 30], .float32, in: try MappedFile(path: path), byteOffset: 1)
    for axis in 0...1 {
      let scheme = try QuantizationScheme(.int8, .perChannel(axis: axis), .symmetric)
      let one = try QuantizedTensor(quantizing: tensor, scheme: scheme)
      let other = try QuantizedTensor(quantizing: mapped, scheme: scheme)
      #expect(one.codes.isIdentical(to: other.codes) && one.parameters == other.parameters)
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func namesTheFirstBadNumber(
    _ bad: Float
  ) throws {
    var tensor = Self.random([20, 3000])
    tensor.withMutableElements(of: Float.self) { elements in
      elements[13 * 3000 + 41] = bad
      elements[17 * 3000 + 2] = .nan
    }
    let name = bad.isNaN ? "NaN" : bad < 0 ? "-infinity" : "infinity"
    let message =
      "\(name) at [13, 41]; numbers must be finite: repair the file or whatever computed them"
    for granularity in [
      Granularity.perTensor, .perChannel(axis: 0), .perChannel(axis: 1),
      .perGroup(size: 7, axis: 0), .perGroup(size: 7, axis: 1), .perBlock(rows: 4, columns: 64),
    ] {
      let scheme = try QuantizationScheme(.int8, granularity, .symmetric)
      #expect {
        try tensor.ranges(granularity)
      } throws: { "\($0)" == message }
      let count = try granularity.scaleShape(of: tensor.shape)
      let parameters = QuantizationParameters(
        scales: .init(repeating: 1, count: count.count),
        zeroPoints: .init(repeating: 0, count: count.count), shape: count)
      #expect {
        try QuantizedTensor(quantizing: tensor, scheme: scheme, parameters: parameters)
      } throws: { "\($0)" == message }
    }
  }

  @Test func emptyTensorsAndScalars() throws {
    for granularity in [Granularity.perTensor, .perChannel(axis: 1), .perGroup(size: 3, axis: 0)] {
      let scheme = try QuantizationScheme(.int8, granularity, .symmetric)
      let quantized = try QuantizedTensor(quantizing: .zeros([0, 4], .float32), scheme: scheme)
      #expect(quantized.codes.shape == [0, 4] && quantized.dequantized().count == 0)
    }
    let scheme = try QuantizationScheme(.uint8, .perTensor, .affine)
    let scalar = try QuantizedTensor(quantizing: Tensor(scalar: Float(4)), scheme: scheme)
    #expect(scalar.codes.integers() == [255])
    #expect(scalar.shape == [])
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let tensor = Self.random([300, 501])
    let before = Threads.count
    defer { Threads.count = before }
    for granularity in [Granularity.perTensor, .perChannel(axis: 1), .perGroup(size: 32, axis: 1)] {
      let scheme = try QuantizationScheme(.uint4, granularity, .affine)
      Threads.count = 1
      let one = try QuantizedTensor(quantizing: tensor, scheme: scheme)
      Threads.count = 3
      let three = try QuantizedTensor(quantizing: tensor, scheme: scheme)
      #expect(one.codes.isIdentical(to: three.codes) && one.parameters == three.parameters)
    }
  }

  @Test func checksWhatItIsGiven() throws {
    let scheme = try QuantizationScheme(.int4, .perChannel(axis: 0), .affine)
    let parameters = QuantizationParameters(scales: [1, 2], zeroPoints: [0, 1], shape: [2])
    #expect {
      try QuantizedTensor(
        codes: Tensor([Int8(1), 8], shape: [2, 1]), scheme: scheme, parameters: parameters)
    } throws: { "\($0)" == "code 8, number 1, is none of int4, which has -8 … 7" }
    #expect {
      try QuantizedTensor(
        codes: Tensor([UInt8(1), 7], shape: [2, 1]), scheme: scheme, parameters: parameters)
    } throws: { "\($0)" == "codes are uint8[2, 1]; those of int4 must be int8" }
    #expect {
      try QuantizedTensor(
        codes: Tensor([Int8(1), 7, 0], shape: [3, 1]), scheme: scheme, parameters: parameters)
    } throws: {
      "\($0)" == "scales of shape [2]; int4 affine perChannel(axis: 0) of a tensor of shape [3, 1] "
        + "needs [3]"
    }
    let wrong = QuantizationParameters(scales: [1, 2], zeroPoints: [0, 9], shape: [2])
    #expect {
      try QuantizedTensor(
        codes: Tensor([Int8(1), 7], shape: [2, 1]), scheme: scheme, parameters: wrong)
    } throws: { "\($0)" == "zero point 1 is 9; that of int4 affine must be in -8 … 7" }
    let symmetric = try QuantizationScheme(.uint8, .perTensor, .symmetric)
    #expect {
      try QuantizedTensor(
        quantizing: Tensor([Float(1)]), scheme: symmetric,
        parameters: QuantizationParameters(scale: 1, zeroPoint: 3))
    } throws: { "\($0)" == "zero point 0 is 3; that of uint8 symmetric must be 128" }
    #expect {
      try QuantizedTensor(quantizing: Tensor([Int32(1)]), scheme: symmetric)
    } throws: {
      "\($0)" == "is int32[1]; only float32, float16, bfloat16 and float64 are quantized"
    }
  }

  @Test func regionsAreGathered() throws {
    let tensor = Self.random([6, 10, 3])
    for granularity in GranularityTests.granularities(of: tensor.shape) {
      let ranges = try tensor.ranges(granularity)
      var gathered = [ValueRange](repeating: ValueRange(0, 0), count: ranges.count)
      try gathered.withUnsafeMutableBufferPointer { gathered in
        nonisolated(unsafe) let gathered = gathered
        try tensor.forEachRegion(granularity) { index, values in
          gathered[index] = ValueRange(values.min() ?? 0, values.max() ?? 0)
        }
      }
      #expect(gathered == ranges)
    }
  }
}
