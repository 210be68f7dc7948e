import Tensors

/// Each region of an image, sampled by bilinear interpolation and pooled to one size.
///
/// Inputs: x `[N, C, H, W]`, regions `[count, 4]` as x1, y1, x2, y2, the image of each region. Output: `[count, C, height,
/// width]`. He et al.: Mask R-CNN, 2017.
public struct RoiAlign: Operator {
  public static let name: OperatorName = "RoiAlign"
  public static let inputCount = 3...3
  /// The size of a pooled region.
  public let height, width: Int
  /// How many samples are taken of each part along either axis; 0 for one per pixel.
  public let samplingRatio: Int
  /// The factor from the regions' coordinates to those of x.
  public let spatialScale: Float
  /// Whether coordinates name pixels' corners rather than their centres.
  public let isShifted: Bool
  /// Whether the greatest sample is taken rather than the mean.
  public let takesGreatest: Bool

  private enum Mode: String, CaseIterable { case avg, max }
  private enum Coordinates: String, CaseIterable {
    case shifted = "half_pixel"
    case plain = "output_half_pixel"
  }

  public init(_ attributes: inout AttributeReader) throws {
    height = try attributes.int("output_height", default: 1)
    width = try attributes.int("output_width", default: 1)
    samplingRatio = try attributes.int("sampling_ratio", default: 0)
    guard 1...1024 ~= height, 1...1024 ~= width, 0...256 ~= samplingRatio else {
      throw attributes.invalid(
        "output_height",
        "is \(height), 'output_width' \(width), 'sampling_ratio' \(samplingRatio); "
          + "must be 1 to 1024, 1 to 1024 and 0 to 256")
    }
    spatialScale = try attributes.float("spatial_scale", default: 1)
    // Before opset 16 coordinates were never shifted.
    let usual: Coordinates = attributes.opset < 16 ? .plain : .shifted
    isShifted =
      try attributes.choice("coordinate_transformation_mode", default: usual) == .shifted
    takesGreatest = try attributes.choice("mode", default: Mode.avg) == .max
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 4...4)
    try inputs.requireRank(1, 2...2)
    try inputs.requireRank(2, 1...1)
    if let width = inputs[1].dimensions?[1].length, width != 4 {
      throw GraphError(.mismatchedTypes, "regions are \(inputs[1]); must have 4 numbers each")
    }
    let count = try ShapeRules.common(
      inputs[1].dimensions?[0] ?? .unknown, inputs[2].dimensions?[0] ?? .unknown,
      "regions and their images differ in number")
    return [
      ValueType(
        inputs[0].elementType,
        [count, inputs[0].dimensions?[1] ?? .unknown, .fixed(height), .fixed(width)])
    ]
  }
}
