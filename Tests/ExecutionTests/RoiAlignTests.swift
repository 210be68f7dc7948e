import Graphs
import Tensors
import Testing

@Suite struct RoiAlignTests {
  /// A plane `x + 10 y`, which bilinear interpolation gives back exactly.
  let plane = Tensor((0..<64).map { Float($0 % 8 + $0 / 8 * 10) }, shape: [1, 1, 8, 8])

  private func run(
    _ region: [Float], _ attributes: [String: AttributeValue], image: Int64 = 0
  ) throws -> [Float] {
    try runNode(
      "RoiAlign", [plane, floats(region, [1, 4]), Tensor([image])], attributes)[0].floats
  }

  @Test func averagesALinearPlaneExactly() throws {
    let size: [String: AttributeValue] = ["output_height": .int(2), "output_width": .int(1)]
    // Corners at half pixels: the region from (1, 1) to (5, 5) is (0.5, 0.5) to (4.5, 4.5) in pixels.
    #expect(try run([1, 1, 5, 5], size) == [2.5 + 15, 2.5 + 35])
    let plain = size.merging(["coordinate_transformation_mode": .string("output_half_pixel")]) {
      $1
    }
    #expect(try run([1, 1, 5, 5], plain) == [3 + 20, 3 + 40])
    #expect(
      try run([2, 2, 10, 10], plain.merging(["spatial_scale": .float(0.5)]) { $1 }) == [23, 43])
  }

  @Test func outsideIsZero() throws {
    #expect(try run([100, 100, 104, 104], [:]) == [0])
    #expect(try run([-1_000_000, -1_000_000, 1_000_000, 1_000_000], [:])[0] < 1e-6)
  }

  @Test func refusals() {
    let region = floats([0, 0, 1, 1], [1, 4])
    #expect(
      problem("RoiAlign", [plane, region, Tensor([Int64(1)])])
        == "node: images of regions are [1]; must be 0 to 0")
    #expect(
      problem("RoiAlign", [plane, floats([0, 0, .nan, 1], [1, 4]), Tensor([Int64(0)])])
        .contains("a region's coordinate is NaN"))
    #expect(
      problem("RoiAlign", [plane, floats([0, 0, 1], [1, 3]), Tensor([Int64(0)])])
        .contains("must have 4 numbers each"))
    #expect(
      problem("RoiAlign", [plane, region, Tensor([Int64(0), 0])]).contains("differ in number"))
  }
}
