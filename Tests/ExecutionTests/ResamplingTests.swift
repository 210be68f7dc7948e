import Execution
import Graphs
import Tensors
import Testing

@Suite struct ResamplingTests {
  private func resize(
    _ x: Tensor, to sizes: [Int], _ attributes: [String: AttributeValue]
  ) throws -> [Float] {
    let target = Tensor(sizes.map { Int64($0) })
    return try applySingle("Resize", [x, nil, nil, target], attributes).elements(of: Float.self)
  }

  @Test(
    arguments: [
      ("round_prefer_floor", [0, 0, 1, 1]), ("round_prefer_ceil", [0, 0, 1, 1]),
      ("floor", [0, 0, 0, 1]), ("ceil", [0, 1, 1, 1]),
    ] as [(String, [Float])])
  func nearest(_ mode: String, _ expected: [Float]) throws {
    let y = try resize(
      counting([2]), to: [4], ["mode": .string("nearest"), "nearest_mode": .string(mode)])
    #expect(y == expected)
  }

  @Test(
    arguments: [
      ("half_pixel", [0, 0.25, 0.75, 1]), ("align_corners", [0, 1.0 / 3, 2.0 / 3, 1]),
      ("asymmetric", [0, 0.5, 1, 1]),
    ] as [(String, [Float])])
  func linear(_ mode: String, _ expected: [Float]) throws {
    let y = try resize(
      counting([2]), to: [4],
      ["mode": .string("linear"), "coordinate_transformation_mode": .string(mode)])
    #expect(zip(y, expected).allSatisfy { ($0 - $1).magnitude < 1e-6 })
  }

  @Test(arguments: ["linear", "cubic"], [false, true])
  func aConstantStaysOne(_ mode: String, _ antialiases: Bool) throws {
    let x = Tensor([Float](repeating: 3, count: 77), shape: [7, 11])
    for sizes in [[3, 4], [20, 5], [7, 11]] {
      let y = try resize(
        x, to: sizes, ["mode": .string(mode), "antialias": .int(antialiases ? 1 : 0)])
      #expect(y.count == sizes[0] * sizes[1])
      #expect(y.allSatisfy { ($0 - 3).magnitude < 1e-5 })
    }
  }

  @Test func antialiasingAverages() throws {
    let y = try resize(
      Tensor([Float(0), 8, 0, 8, 0, 8, 0, 8]), to: [2],
      ["mode": .string("linear"), "antialias": .int(1)])
    // Around 1.5 the weights 1 - |i - 1.5| / 4 add up to 4, of which 1.625 fall on 1, 3 and 5; the ends are repeated.
    #expect(y == [3.25, 4.75])
  }

  @Test(
    arguments: [("stretch", [4, 9]), ("not_larger", [4, 8]), ("not_smaller", [5, 9])]
      as [(String, [Int])])
  func aspectRatios(_ policy: String, _ expected: [Int]) throws {
    let y = try applySingle(
      "Resize", [counting([2, 4]), nil, nil, list(4, 9)],
      ["keep_aspect_ratio_policy": .string(policy)])
    #expect(y.shape.dimensions == expected)
  }

  @Test func outsideOfTheRegion() throws {
    let region = Tensor([Float(-1), 1])
    let y = try applySingle(
      "Resize", [counting([3]), region, nil, list(5)],
      [
        "mode": .string("linear"), "extrapolation_value": .float(9),
        "coordinate_transformation_mode": .string("tf_crop_and_resize"),
      ])
    #expect(y.elements(of: Float.self) == [9, 9, 0, 1, 2])
  }

  @Test func eitherScalesOrSizes() {
    let text = message { _ = try applySingle("Resize", [counting([3])]) }
    #expect(text == "node: either scales or sizes must be given, and not both")
  }

  @Test(arguments: ["linear", "nearest", "cubic"]) func aGridOfPixelsIsThePicture(
    _ mode: String
  ) throws {
    let x = counting([1, 2, 3, 4])
    let theta = Tensor([Float(1), 0, 0, 0, 1, 0], shape: [1, 2, 3])
    let grid = try applySingle("AffineGrid", [theta, list(1, 2, 3, 4)])
    let y = try applySingle("GridSample", [x, grid], ["mode": .string(mode)])
    let pairs = zip(x.elements(of: Float.self), y.elements(of: Float.self))
    #expect(y.shape == x.shape)
    #expect(pairs.allSatisfy { ($0 - $1).magnitude < 1e-4 })
  }

  @Test func blocksAddUp() throws {
    let ones = Tensor([Float](repeating: 1, count: 16), shape: [1, 4, 4])
    let y = try applySingle("Col2Im", [ones, list(3, 3), list(2, 2)])
    #expect(y.elements(of: Float.self) == [1, 2, 1, 2, 4, 2, 1, 2, 1])
  }
}
