package import Tensors

/// The operators that sample pictures anew.
let resamplingOperators: [any Operator.Type] = [
  Resize.self, GridSample.self, AffineGrid.self, Col2Im.self,
]

/// Another number of samples along each axis; opset 13 and later.
///
/// Inputs: data, region? (for ``CoordinateMode/cropAndResize``: starts, then ends, as parts of the axes), scales?, sizes?
/// (int64). Either scales or sizes are given, for all axes or those of `axes`.
public struct Resize: Operator {
  public static let name: OperatorName = "Resize"
  public static let inputCount = 1...4

  /// How new samples are made of old ones.
  public enum Mode: String, CaseIterable, Sendable {
    case nearest
    case linear
    case cubic
  }

  /// Where a new sample lies among the old ones.
  public enum CoordinateMode: String, CaseIterable, Sendable {
    /// `(x + ½) / scale − ½`.
    case halfPixel = "half_pixel"
    /// The same around the centre of the whole, where sizes are rounded.
    case halfPixelSymmetric = "half_pixel_symmetric"
    /// The same, but −½ where there is one sample.
    case torchHalfPixel = "pytorch_half_pixel"
    /// The outermost samples lie on each other.
    case alignCorners = "align_corners"
    /// `x / scale`.
    case asymmetric
    /// The outermost samples lie on the ends of the region.
    case cropAndResize = "tf_crop_and_resize"
  }

  /// Which of two neighbours is nearest.
  public enum NearestMode: String, CaseIterable, Sendable {
    case roundPreferFloor = "round_prefer_floor"
    case roundPreferCeiling = "round_prefer_ceil"
    case floor
    case ceiling = "ceil"
  }

  /// What sizes mean where they would change the aspect ratio.
  public enum AspectRatioPolicy: String, CaseIterable, Sendable {
    /// They are met.
    case stretch
    /// They are not exceeded.
    case notLarger = "not_larger"
    /// They are reached.
    case notSmaller = "not_smaller"
  }

  /// How new samples are made of old ones.
  public let mode: Mode
  /// Where a new sample lies among the old ones.
  public let coordinates: CoordinateMode
  /// Which of two neighbours is nearest.
  public let nearest: NearestMode
  /// What sizes mean where they would change the aspect ratio.
  public let aspectRatio: AspectRatioPolicy
  /// Whether samples are averaged where there will be fewer.
  public let antialiases: Bool
  /// Whether neighbours beyond the ends have no weight, rather than that of the outermost sample.
  public let excludesOutside: Bool
  /// The `a` of cubic interpolation.
  public let cubicCoefficient: Float
  /// What is outside of the region's picture.
  public let extrapolationValue: Float
  /// The axes that scales and sizes are for; nil means all.
  public let axes: [Int]?

  public init(_ attributes: inout AttributeReader) throws {
    mode = try attributes.choice("mode", default: .nearest)
    coordinates = try attributes.choice(
      "coordinate_transformation_mode", default: .halfPixel)
    nearest = try attributes.choice("nearest_mode", default: .roundPreferFloor)
    aspectRatio = try attributes.choice("keep_aspect_ratio_policy", default: .stretch)
    antialiases = try attributes.flag("antialias", default: false)
    excludesOutside = try attributes.flag("exclude_outside", default: false)
    cubicCoefficient = try attributes.float("cubic_coeff_a", default: -0.75)
    extrapolationValue = try attributes.float("extrapolation_value", default: 0)
    axes = try attributes.ints("axes")
  }

  /// What becomes of one axis.
  package struct Change: Sendable {
    package let scale: Double
    package let length: Int
  }

  /// What becomes of the axes that change. Throws ``GraphError`` where scales and sizes don't fit the axes.
  package func changes(
    _ lengths: [Int], scales: [Float]?, sizes: [Int]?
  ) throws -> [Int: Change] {
    let axes = try ShapeRules.axes(axes ?? Array(lengths.indices), rank: lengths.count)
    guard (scales == nil) != (sizes == nil) else {
      throw GraphError(.invalidValue, "either scales or sizes must be given, and not both")
    }
    guard let count = scales?.count ?? sizes?.count, count == axes.count else {
      throw GraphError(
        .mismatchedTypes,
        "\(scales?.count ?? sizes?.count ?? 0) scales or sizes for \(axes.count) axes; must be as many"
      )
    }
    if let scales { return try scaled(lengths, axes, scales) }
    return try sized(lengths, axes, sizes ?? [])
  }

  private func scaled(
    _ lengths: [Int], _ axes: [Int], _ scales: [Float]
  ) throws -> [Int: Change] {
    var changes: [Int: Change] = [:]
    for (axis, scale) in zip(axes, scales) {
      let length = (Double(lengths[axis]) * Double(scale)).rounded(.down)
      guard scale > 0, scale.isFinite, length < 0x1p40 else {
        throw GraphError(
          .invalidValue, "scale \(scale) of an axis of length \(lengths[axis]) can't be met")
      }
      changes[axis] = Change(scale: Double(scale), length: Int(length))
    }
    return changes
  }

  private func sized(_ lengths: [Int], _ axes: [Int], _ sizes: [Int]) throws -> [Int: Change] {
    guard sizes.allSatisfy({ (0...(1 << 40)).contains($0) }),
      zip(axes, sizes).allSatisfy({ lengths[$0] > 0 || $1 == 0 })
    else {
      throw GraphError(.invalidValue, "sizes \(sizes) of axes of \(lengths) can't be met")
    }
    var changes: [Int: Change] = [:]
    let scales = zip(axes, sizes).map { Double($1) / Double(max(lengths[$0], 1)) }
    for (index, axis) in axes.enumerated() {
      let common =
        switch aspectRatio {
        case .stretch: Double?.none
        case .notLarger: scales.min()
        case .notSmaller: scales.max()
        }
      if let common {
        let length = (common * Double(lengths[axis]) + 0.5).rounded(.down)
        guard length < 0x1p40 else {
          throw GraphError(.invalidValue, "sizes \(sizes) of axes of \(lengths) can't be met")
        }
        changes[axis] = Change(scale: common, length: Int(length))
      } else {
        changes[axis] = Change(scale: scales[index], length: sizes[index])
      }
    }
    return changes
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(2, .float32)
    try inputs.requireType(3, .int64)
    guard let dimensions = inputs[0].dimensions else { return [inputs[0]] }
    let lengths = dimensions.map(\.length)
    let known = (Resize.scales(inputs.constant(2)), Resize.sizes(inputs.constant(3)))
    let isKnown =
      (!inputs.has(2) || inputs.constant(2) != nil) && (!inputs.has(3) || inputs.constant(3) != nil)
    guard isKnown, lengths.allSatisfy({ $0 != nil }) else {
      return [try partial(inputs[0], dimensions, known.0, isKnown)]
    }
    var result = dimensions
    for (axis, change) in try changes(lengths.map { $0! }, scales: known.0, sizes: known.1) {
      result[axis] = .fixed(change.length)
    }
    return [inputs[0].with(result)]
  }

  /// Axes that are scaled by 1 keep even a length that is not known.
  private func partial(
    _ type: ValueType, _ dimensions: [Dimension], _ scales: [Float]?, _ isKnown: Bool
  ) throws -> ValueType {
    let axes = try ShapeRules.axes(axes ?? Array(dimensions.indices), rank: dimensions.count)
    var result = dimensions
    for (index, axis) in axes.enumerated() {
      guard isKnown, let scales, index < scales.count else {
        result[axis] = .unknown
        continue
      }
      if scales[index] == 1 { continue }
      result[axis] =
        try dimensions[axis].length.flatMap {
          try scaled([$0], [0], [scales[index]])[0].map { .fixed($0.length) }
        } ?? .unknown
    }
    return type.with(result)
  }

  /// The scales of an input; nil where it is empty.
  package static func scales(_ tensor: Tensor?) -> [Float]? {
    guard let tensor, tensor.elementType == .float32, tensor.count > 0 else { return nil }
    return tensor.elements(of: Float.self)
  }

  /// The sizes of an input; nil where it is empty.
  package static func sizes(_ tensor: Tensor?) -> [Int]? {
    guard let tensor, tensor.elementType == .int64, tensor.count > 0 else { return nil }
    return tensor.integers()
  }
}

/// Samples of a picture or volume at given points, of which −1 and 1 are the ends.
///
/// Inputs: X [N, C, D1…Dr], grid [N, D1'…Dr', r], whose points name the innermost axis first. Opset 16 and later.
public struct GridSample: Operator {
  public static let name: OperatorName = "GridSample"
  public static let inputCount = 2...2

  /// How a sample is made of its neighbours.
  public enum Mode: String, CaseIterable, Sendable {
    case linear
    case nearest
    case cubic
    /// The name of linear before opset 20.
    case bilinear
    /// The name of cubic before opset 20.
    case bicubic
  }

  /// What is outside of the picture.
  public enum PaddingMode: String, CaseIterable, Sendable {
    case zeros
    case border
    case reflection
  }

  /// How a sample is made of its neighbours.
  public let mode: Mode
  /// What is outside of the picture.
  public let padding: PaddingMode
  /// Whether −1 and 1 are the centres of the outermost pixels, rather than their outer edges.
  public let alignsCorners: Bool

  public init(_ attributes: inout AttributeReader) throws {
    mode = try attributes.choice("mode", default: .linear)
    padding = try attributes.choice("padding_mode", default: .zeros)
    alignsCorners = try attributes.flag("align_corners", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 3...ShapeRules.rankLimit)
    guard let x = inputs[0].dimensions, let grid = inputs[1].dimensions else {
      return [.ofRank(inputs[0].rank ?? inputs[1].rank, inputs[0].elementType)]
    }
    let axes = x.count - 2
    guard grid.count == x.count, grid.last!.length ?? axes == axes else {
      throw GraphError(
        .mismatchedTypes,
        "X is \(inputs[0]) and the grid \(inputs[1]); must have as many axes, the grid's last of length \(axes)"
      )
    }
    let batch = try ShapeRules.common(x[0], grid[0], "X and grid differ in batch size")
    return [inputs[0].with([batch, x[1]] + grid[1..<(grid.count - 1)])]
  }
}

/// The points of a grid moved by one matrix per picture, as ``GridSample`` takes them; opset 20.
///
/// Inputs: theta [N, r, r + 1], size (int64): N, C, D1…Dr; r is 2 or 3.
public struct AffineGrid: Operator {
  public static let name: OperatorName = "AffineGrid"
  public static let inputCount = 2...2
  /// Whether −1 and 1 are the centres of the outermost pixels, rather than their outer edges.
  public let alignsCorners: Bool

  public init(_ attributes: inout AttributeReader) throws {
    alignsCorners = try attributes.flag("align_corners", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 3...3)
    try inputs.requireType(1, .int64)
    let count = try inputs.listLength(1)
    guard let size = inputs.integers(1) else { return [.ofRank(count, inputs[0].elementType)] }
    guard size.count == 4 || size.count == 5 else {
      throw GraphError(
        .invalidValue, "size is \(size); must be batch, channels and two or three lengths")
    }
    let axes = size.count - 2
    let lengths = try ShapeRules.dimensions(size, of: "size")
    if let theta = inputs[0].dimensions {
      let problem = "theta is \(inputs[0]); must be [\(size[0]), \(axes), \(axes + 1)]"
      for (found, wanted) in zip(theta, [size[0], axes, axes + 1]) {
        _ = try ShapeRules.common(found, .fixed(wanted), problem)
      }
    }
    return [inputs[0].with([lengths[0]] + lengths[2...] + [.fixed(axes)])]
  }
}

/// Overlapping blocks added up into pictures: the reverse of cutting them out; opset 18.
///
/// Inputs: X [N, C·∏block, L], shape of the pictures (int64), shape of a block (int64).
public struct Col2Im: Operator {
  public static let name: OperatorName = "Col2Im"
  public static let inputCount = 3...3
  /// The distance between a block's elements; nil is 1 along each axis.
  public let dilations: [Int]?
  /// What surrounds the picture: all befores, then all behinds; nil is none.
  public let pads: [Int]?
  /// The distance between blocks; nil is 1 along each axis.
  public let strides: [Int]?

  public init(_ attributes: inout AttributeReader) throws {
    dilations = try attributes.ints("dilations")
    pads = try attributes.ints("pads")
    strides = try attributes.ints("strides")
    let limit = 1...(1 << 31)
    for (name, list) in [("dilations", dilations), ("strides", strides)] {
      guard list?.allSatisfy(limit.contains) ?? true else {
        throw attributes.invalid(name, "is \(list!); must be at least 1")
      }
    }
    guard pads?.allSatisfy({ (0...(1 << 31)).contains($0) }) ?? true else {
      throw attributes.invalid("pads", "is \(pads!); must be at least 0")
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 3...3)
    try inputs.requireType(1, .int64)
    try inputs.requireType(2, .int64)
    let rank = try inputs.listLength(1)
    guard let image = inputs.integers(1), let block = inputs.integers(2) else {
      return [.ofRank(rank.map { $0 + 2 }, inputs[0].elementType)]
    }
    let lengths = try ShapeRules.dimensions(image, of: "picture shape")
    let blockSize = try ShapeRules.product(ShapeRules.dimensions(block, of: "block shape")) ?? 0
    guard block.count == image.count, blockSize > 0,
      dilations.map({ $0.count == image.count }) ?? true,
      strides.map({ $0.count == image.count }) ?? true,
      pads.map({ $0.count == 2 * image.count }) ?? true
    else {
      throw GraphError(
        .mismatchedTypes,
        "picture shape \(image), block shape \(block), dilations, pads and strides must be for as many axes"
      )
    }
    var channels = Dimension.unknown
    if let columns = inputs[0].dimensions?[1].length {
      guard columns % blockSize == 0 else {
        throw GraphError(
          .mismatchedTypes,
          "\(columns) columns are no whole number of blocks of \(blockSize) elements")
      }
      channels = .fixed(columns / blockSize)
    }
    return [inputs[0].with([inputs[0].dimensions?[0] ?? .unknown, channels] + lengths)]
  }
}
