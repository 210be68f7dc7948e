import Foundation
import Graphs
import Tensors
import Testing

@Suite struct PoolingTests {
  static let image = Tensor((1...16).map { Float($0) }, shape: [1, 1, 4, 4])

  static func attributes(
    _ kernel: [Int], strides: [Int]? = nil, pads: [Int]? = nil, dilations: [Int]? = nil,
    _ more: [String: AttributeValue] = [:]
  ) -> [String: AttributeValue] {
    var attributes = more
    attributes["kernel_shape"] = .ints(kernel)
    attributes["strides"] = strides.map { .ints($0) }
    attributes["pads"] = pads.map { .ints($0) }
    attributes["dilations"] = dilations.map { .ints($0) }
    return attributes
  }

  @Test func greatestAndWhereItStands() throws {
    let results = try runNode(
      "MaxPool", [PoolingTests.image], PoolingTests.attributes([2, 2], strides: [2, 2]), outputs: 2)
    #expect(results[0].floats == [6, 8, 14, 16])
    #expect(results[1].integers() == [5, 7, 13, 15])
    let columns = try runNode(
      "MaxPool", [PoolingTests.image],
      PoolingTests.attributes([2, 2], strides: [2, 2], ["storage_order": .int(1)]), outputs: 2)
    #expect(columns[1].integers() == [5, 13, 7, 15])
    let two = Tensor((0..<8).map { Float($0) }, shape: [1, 2, 4])
    let places = try runNode("MaxPool", [two], PoolingTests.attributes([4]), outputs: 2)[1]
    #expect(places.integers() == [3, 7])
  }

  @Test func roundingUpAddsAPosition() throws {
    let x = Tensor((1...5).map { Float($0) }, shape: [1, 1, 5])
    let up = ["ceil_mode": AttributeValue.int(1)]
    #expect(
      try runNode("MaxPool", [x], PoolingTests.attributes([2], strides: [2]))[0].floats == [2, 4])
    #expect(
      try runNode("MaxPool", [x], PoolingTests.attributes([2], strides: [2], up))[0].floats
        == [2, 4, 5])
    // A position that would begin in the padding at the end is left out.
    #expect(
      try runNode("MaxPool", [x], PoolingTests.attributes([2], strides: [5], pads: [0, 1], up))[0]
        .floats == [2])
    #expect(
      try runNode("AveragePool", [x], PoolingTests.attributes([2], strides: [2], up))[0].floats
        == [1.5, 3.5, 5])
  }

  @Test func paddingCountsWhereAsked() throws {
    let x = Tensor([Float(2), 4, 6], shape: [1, 1, 3])
    let plain = PoolingTests.attributes([3], pads: [1, 1])
    #expect(try runNode("AveragePool", [x], plain)[0].floats == [3, 4, 5])
    let counted = PoolingTests.attributes([3], pads: [1, 1], ["count_include_pad": .int(1)])
    #expect(try runNode("AveragePool", [x], counted)[0].floats == [2, 4, 10.0 / 3])
    #expect(try runNode("MaxPool", [floats([-3, -2], [1, 1, 2])], plain)[0].floats == [-2, -2])
  }

  @Test(arguments: [1, 2, 3]) func equalsTheDefinition(_ rank: Int) throws {
    let lengths = Array([7, 6, 5].prefix(rank))
    let (kernel, strides) = (Array([3, 2, 2].prefix(rank)), Array([2, 1, 2].prefix(rank)))
    let (dilations, begins) = (Array([1, 2, 1].prefix(rank)), Array([1, 0, 1].prefix(rank)))
    let x = randomFloats([2, 3] + lengths, seed: 5)
    let attributes = PoolingTests.attributes(
      kernel, strides: strides, pads: begins + begins, dilations: dilations)
    let greatest = try runNode("MaxPool", [x], attributes)[0]
    let mean = try runNode("AveragePool", [x], attributes)[0]
    let norm = try runNode("LpPool", [x], attributes.merging(["p": .int(3)]) { $1 })[0]
    let positions = Shape(Array(greatest.shape.dimensions.dropFirst(2)))
    let (taps, pixels) = (Shape(kernel), Shape(lengths))
    for flat in 0..<greatest.count {
      var values: [Double] = []
      for tap in 0..<taps.count {
        var pixel = flat / positions.count
        for axis in 0..<rank {
          let position = flat % positions.count / positions.strides[axis] % positions[axis]
          let offset = tap / taps.strides[axis] % taps[axis]
          let index = position * strides[axis] + offset * dilations[axis] - begins[axis]
          guard pixel >= 0, index >= 0, index < pixels[axis] else {
            pixel = -1
            continue
          }
          pixel = pixel * pixels[axis] + index
        }
        if pixel >= 0 { values.append(Double(x.floats[pixel])) }
      }
      #expect(Double(greatest.floats[flat]) == values.max())
      #expect(abs(Double(mean.floats[flat]) - values.reduce(0, +) / Double(values.count)) < 1e-6)
      let cubes = values.reduce(0) { $0 + pow(abs($1), 3) }
      #expect(abs(Double(norm.floats[flat]) - pow(cubes, 1 / 3)) < 1e-5)
    }
  }

  @Test func bytesAndNotANumber() throws {
    let bytes = Tensor([Int8(-128), -7, -3, -9], shape: [1, 1, 4])
    #expect(
      try runNode("MaxPool", [bytes], PoolingTests.attributes([2]))[0].integers() == [-7, -3, -3])
    let x = floats([1, .nan, 0, 2], [1, 1, 4])
    let results = try runNode("MaxPool", [x], PoolingTests.attributes([2]), outputs: 2)
    #expect(results[0].floats[0].isNaN && results[0].floats[1].isNaN && results[0].floats[2] == 2)
    #expect(results[1].integers() == [1, 1, 3])
  }

  @Test func wholeChannels() throws {
    let x = floats([1, 2, 3, 6, -3, 4], [1, 2, 3])
    #expect(try runNode("GlobalAveragePool", [x])[0].floats == [2, 7.0 / 3])
    #expect(try runNode("GlobalMaxPool", [x])[0].floats == [3, 6])
    #expect(try runNode("GlobalLpPool", [x], ["p": .int(1)])[0].floats == [6, 13])
    #expect(try runNode("GlobalAveragePool", [x])[0].shape == [1, 2, 1])
    #expect(problem("GlobalAveragePool", [floats([], [1, 2, 0])]).contains("no elements"))
  }

  @Test func unpoolingUndoesPooling() throws {
    let attributes = PoolingTests.attributes([2, 2], strides: [2, 2])
    let pooled = try runNode("MaxPool", [PoolingTests.image], attributes, outputs: 2)
    let back = try runNode("MaxUnpool", [pooled[0], pooled[1]], attributes)[0]
    let kept: Set<Float> = [6, 8, 14, 16]
    #expect(back.floats == PoolingTests.image.floats.map { kept.contains($0) ? $0 : 0 })
    let larger = try runNode(
      "MaxUnpool", [pooled[0], pooled[1], Tensor([Int64(1), 1, 5, 4])], attributes)[0]
    #expect(larger.floats == back.floats + [0, 0, 0, 0])
    let wrong = Tensor([Int64(0), 1, 2, 16], shape: [1, 1, 2, 2])
    #expect(
      problem("MaxUnpool", [pooled[0], wrong], attributes)
        == "node: a place is 16; must be 0 to 15")
    for shape in [nil, Tensor([Int64(1), 1, 4, 4])] {
      #expect(
        problem("MaxUnpool", [pooled[0], pooled[1], shape], PoolingTests.attributes([2]))
          == "node: attribute 'kernel_shape' must have 2 numbers, one per spatial axis")
    }
  }

  @Test func refusesWindowsThatDoNotFit() {
    #expect(
      problem("MaxPool", [PoolingTests.image], PoolingTests.attributes([2])).contains(
        "attribute 'kernel_shape' is [2]; must have 2 numbers"))
    #expect(
      problem("MaxPool", [PoolingTests.image], PoolingTests.attributes([5, 5])).contains(
        "the kernel reaches over 5 elements"))
    #expect(
      problem(
        "AveragePool", [Tensor([Int8(1), 2], shape: [1, 1, 2])], PoolingTests.attributes([1]))
        == "node: is not computed for int8")
  }
}
