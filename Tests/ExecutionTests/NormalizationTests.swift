import Foundation
import Graphs
import Tensors
import Testing

@Suite struct NormalizationTests {
  /// Each row minus its mean, divided by its deviation.
  static func normalized(_ x: [Float], rows: Int, epsilon: Double = 1e-5) -> [Float] {
    let length = x.count / rows
    return (0..<rows).flatMap { row -> [Float] in
      let values = x[(row * length)..<((row + 1) * length)].map { Double($0) }
      let mean = values.reduce(0, +) / Double(length)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(length)
      return values.map { Float(($0 - mean) / (variance + epsilon).squareRoot()) }
    }
  }

  @Test func batchNormalization() throws {
    let x = floats([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2])
    let parameters = [floats([2, 1]), floats([0, 1]), floats([1, 2]), floats([4, 1])]
    let result = try runNode(
      "BatchNormalization", [x] + parameters, ["epsilon": .float(0)])[0]
    #expect(result.floats == [0, 1, 2, 3, 4, 5, 6, 7])
    let matrix = floats([1, 2, 3, 4], [2, 2])
    let flat = try runNode(
      "BatchNormalization", [matrix] + parameters, ["epsilon": .float(0)])[0]
    #expect(flat.floats == [0, 1, 2, 3])
    #expect(
      problem("BatchNormalization", [x, floats([1])] + parameters.dropFirst())
        == "node: the scale is float32[1]; must be a vector of length 2")
  }

  @Test func batchNormalizationInTraining() throws {
    let x = floats([1, 3, 10, 20, 5, 7, 30, 40], [2, 2, 2])
    let ones = floats([1, 1])
    let zeros = floats([0, 0])
    let results = try runNode(
      "BatchNormalization", [x, ones, zeros, floats([1, 1]), floats([2, 2])],
      ["training_mode": .int(1), "momentum": .float(0.75)], outputs: 3)
    // Means 4 and 25, variances 5 and 125.
    #expect(results[1].floats == [1.75, 7])
    #expect(results[2].floats == [2.75, 32.75])
    let first = NormalizationTests.normalized([1, 3, 5, 7], rows: 1)
    let found = results[0].floats
    #expect(floats([found[0], found[1], found[4], found[5]]).isClose(to: floats(first)))
  }

  @Test func layerNormalization() throws {
    let x = randomFloats([3, 4, 5], seed: 3)
    let (scale, bias) = (randomFloats([4, 5], seed: 4), randomFloats([4, 5], seed: 5))
    let results = try runNode(
      "LayerNormalization", [x, scale, bias], ["axis": .int(1)], outputs: 3)
    let plain = NormalizationTests.normalized(x.floats, rows: 3)
    let expected = plain.enumerated().map {
      $1 * scale.floats[$0 % 20] + bias.floats[$0 % 20]
    }
    #expect(results[0].isClose(to: floats(expected, [3, 4, 5])))
    #expect(results[1].shape == [3, 1, 1] && results[2].shape == [3, 1, 1])
    let mean = x.floats[0..<20].reduce(0, +) / 20
    #expect(abs(results[1].floats[0] - mean) < 1e-6)
    let single = try runNode("LayerNormalization", [x, scale, bias], ["axis": .int(1)])[0]
    #expect(single.isClose(to: results[0], tolerance: 1e-6))
    let unbiased = try runNode("LayerNormalization", [x, floats([2], [1])])[0]
    let rows = NormalizationTests.normalized(x.floats, rows: 12).map { 2 * $0 }
    #expect(unbiased.isClose(to: floats(rows, [3, 4, 5])))
    #expect(problem("LayerNormalization", [x, floats([1, 2])]).contains("can't be broadcast"))
  }

  @Test func groupsOfChannels() throws {
    let x = randomFloats([2, 4, 3], seed: 6)
    let (scale, bias) = (randomFloats([4], seed: 7), randomFloats([4], seed: 8))
    func expected(_ rows: Int, _ index: (Int) -> Int) -> Tensor {
      let plain = NormalizationTests.normalized(x.floats, rows: rows)
      let values = plain.enumerated().map { flat, value in
        let channel = index(flat / 3 % 4)
        return value * scale.floats[channel] + bias.floats[channel]
      }
      return floats(values, [2, 4, 3])
    }
    let instance = try runNode("InstanceNormalization", [x, scale, bias])[0]
    #expect(instance.isClose(to: expected(8) { $0 }))
    let groups = ["num_groups": AttributeValue.int(2)]
    let modern = try runNode("GroupNormalization", [x, scale, bias], groups, opset: 21)[0]
    #expect(modern.isClose(to: expected(4) { $0 }))
    let (few, fewBiases) = (scale.rows(0..<2), bias.rows(0..<2))
    let old = try runNode("GroupNormalization", [x, few, fewBiases], groups, opset: 18)[0]
    #expect(old.isClose(to: expected(4) { $0 / 2 }))
    #expect(
      problem("GroupNormalization", [x, few, fewBiases], groups, opset: 21)
        == "node: the scale is float32[2]; must be a vector of length 4")
    #expect(
      problem("GroupNormalization", [x, scale, bias], ["num_groups": .int(3)])
        .contains("'num_groups' is 3, which does not divide 4 channels"))
  }

  @Test func rootMeanSquare() throws {
    let x = floats([3, 4, 0, 5], [2, 2])
    let result = try runNode(
      "RMSNormalization", [x, floats([2, 1])], ["epsilon": .float(0)], opset: 23)[0]
    let (first, second) = (Float(12.5).squareRoot(), Float(12.5).squareRoot())
    let expected = floats([6 / first, 4 / first, 0, 5 / second], [2, 2])
    #expect(result.isClose(to: expected))
    let wide = try runNode(
      "RMSNormalization", [Tensor([3.0, 4], shape: [1, 2]), Tensor([2.0, 1])],
      ["epsilon": .float(0)], opset: 23)[0]
    #expect(abs(wide.elements(of: Double.self)[0] - Double(6 / first)) < 1e-6)
  }

  @Test func responseNormalization() throws {
    let x = floats([1, 2, 3], [1, 3, 1])
    let result = try runNode(
      "LRN", [x],
      ["size": .int(2), "alpha": .float(2), "beta": .float(1), "bias": .float(1)])[0]
    // Size 2 reaches one channel up: squares 1 + 4, 4 + 9, 9.
    #expect(result.isClose(to: floats([1.0 / 6, 2.0 / 14, 3.0 / 10], [1, 3, 1])))
  }

  @Test func normsAlongAnAxis() throws {
    let x = floats([3, 0, -4, 0], [2, 2])
    let along = ["axis": AttributeValue.int(0)]
    #expect(try runNode("LpNormalization", [x], along)[0].floats == [0.6, 0, -0.8, 0])
    #expect(
      try runNode("LpNormalization", [x], ["axis": .int(0), "p": .int(1)])[0]
        .isClose(to: floats([3.0 / 7, 0, -4.0 / 7, 0], [2, 2])))
  }

  @Test func meanAndVarianceOverAxes() throws {
    let x = randomFloats([2, 3, 4, 5], seed: 9)
    let result = try runNode("MeanVarianceNormalization", [x])[0].floats
    for channel in 0..<3 {
      let members = result.enumerated().filter { $0.offset / 20 % 3 == channel }.map(\.element)
      let mean = members.reduce(0, +) / Float(members.count)
      let variance = members.reduce(0) { $0 + $1 * $1 } / Float(members.count)
      #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-4)
    }
    let inner = try runNode("MeanVarianceNormalization", [x], ["axes": .ints([-1])])[0]
    let rows = NormalizationTests.normalized(x.floats, rows: 24, epsilon: 0)
    #expect(inner.isClose(to: floats(rows, [2, 3, 4, 5])))
  }

  @Test func skipLayerNormalization() throws {
    let (x, skip) = (randomFloats([2, 3, 4], seed: 1), randomFloats([2, 3, 4], seed: 2))
    let (scale, shift) = (randomFloats([4], seed: 3), randomFloats([4], seed: 4))
    let bias = randomFloats([4], seed: 5)
    let results = try runNode(
      .microsoft("SkipLayerNormalization"), [x, skip, scale, shift, bias],
      ["epsilon": .float(1e-5)], outputs: 4)
    let sum = try runNode("Sum", [x, skip, bias])[0]
    #expect(results[3].isClose(to: sum))
    let expected = try runNode("LayerNormalization", [sum, scale, shift])[0]
    #expect(results[0].isClose(to: expected))
    #expect(results[1].shape == [2, 3, 1])
  }
}
