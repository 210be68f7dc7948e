public import Tensors

/// Which elements of a tensor share a scale and a zero point.
///
/// An axis is the one that scales vary along, as in ONNX; negative axes count from the innermost.
public enum Granularity: Hashable, Sendable {
  /// All of them.
  case perTensor
  /// Those of one index of the axis: one scale for each.
  case perChannel(axis: Int)
  /// `size` neighbours along the axis, everything else apart; the last group is shorter where the size does not divide the
  /// axis.
  case perGroup(size: Int, axis: Int)
  /// A tile of the two innermost axes; tiles at the lower and right edge are smaller where they don't fit.
  case perBlock(rows: Int, columns: Int)

  /// A granularity without axis, for those who don't know the tensor: which axes a tensor has is decided by the operator
  /// that reads it.
  public enum Kind: Hashable, Sendable {
    case perTensor
    case perChannel
    case perGroup(size: Int)
    case perBlock(rows: Int, columns: Int)
  }
}

// MARK: - Questions

extension Granularity {
  /// Which kind it is, the axis left out.
  public var kind: Kind {
    switch self {
    case .perTensor: .perTensor
    case .perChannel: .perChannel
    case .perGroup(let size, _): .perGroup(size: size)
    case .perBlock(let rows, let columns): .perBlock(rows: rows, columns: columns)
    }
  }

  /// The axis that scales vary along, nil where there is none or more than one.
  public var axis: Int? {
    switch self {
    case .perTensor, .perBlock: nil
    case .perChannel(let axis), .perGroup(_, let axis): axis
    }
  }

  /// How many neighbours along ``axis`` share a scale, nil for other granularities than groups: ONNX's `block_size`.
  public var groupSize: Int? {
    if case .perGroup(let size, _) = self { size } else { nil }
  }

  /// The shape of the scales of a tensor of the given shape, as in ONNX: `[]` per tensor, `[n]` per channel, the tensor's
  /// own with the grouped axes divided, rounded up, per group and per block.
  ///
  /// Throws ``NumberFormatError`` where the tensor lacks the axis.
  public func scaleShape(of shape: Shape) throws -> Shape {
    try regions(of: shape).scaleShape
  }

  func checkSizes() throws {
    let sizes: [Int]
    switch self {
    case .perTensor, .perChannel: sizes = []
    case .perGroup(let size, _): sizes = [size]
    case .perBlock(let rows, let columns): sizes = [rows, columns]
    }
    guard sizes.allSatisfy({ $0 > 0 }) else {
      throw NumberFormatError(.invalidScheme, "\(self): sizes must be at least 1")
    }
  }

  /// How a tensor of the given shape is divided. Throws ``NumberFormatError`` where it lacks the axis.
  package func regions(of shape: Shape) throws -> Regions {
    try checkSizes()
    switch self {
    case .perTensor: return Regions(whole: shape)
    case .perChannel(let axis):
      return Regions(channelsOf: shape, axis: try resolved(axis, shape))
    case .perGroup(let size, let axis):
      return Regions(groupsOf: size, along: try resolved(axis, shape), in: shape)
    case .perBlock(let rows, let columns):
      guard shape.rank >= 2 else {
        throw NumberFormatError(
          .mismatch, "\(self) needs a tensor of two axes or more, not one of shape \(shape)")
      }
      return Regions(blocksOf: rows, columns, in: shape)
    }
  }

  private func resolved(_ axis: Int, _ shape: Shape) throws -> Int {
    let index = axis < 0 ? axis + shape.rank : axis
    guard 0..<shape.rank ~= index else {
      throw NumberFormatError(.mismatch, "\(self): a tensor of shape \(shape) has no such axis")
    }
    return index
  }
}

extension Granularity.Kind {
  /// The granularity over a weight of which `outputAxis` counts outputs, each with a scale of its own, and `inputAxis` the
  /// inputs that are summed over, divided into groups.
  ///
  /// `perBlock` takes no axis: its tiles are those of the two innermost.
  public func granularity(outputAxis: Int, inputAxis: Int) -> Granularity {
    switch self {
    case .perTensor: .perTensor
    case .perChannel: .perChannel(axis: outputAxis)
    case .perGroup(let size): .perGroup(size: size, axis: inputAxis)
    case .perBlock(let rows, let columns): .perBlock(rows: rows, columns: columns)
    }
  }
}

// MARK: - Names

extension Granularity: CustomStringConvertible {
  /// As in `perGroup(128, axis: 1)`.
  public var description: String {
    switch self {
    case .perTensor: "perTensor"
    case .perChannel(let axis): "perChannel(axis: \(axis))"
    case .perGroup(let size, let axis): "perGroup(\(size), axis: \(axis))"
    case .perBlock(let rows, let columns): "perBlock(\(rows)x\(columns))"
    }
  }
}

extension Granularity.Kind: CustomStringConvertible {
  /// The name in recipes: `perTensor`, `perChannel`, `perGroup(128)`, `perBlock(128x128)`.
  public var description: String {
    switch self {
    case .perTensor: "perTensor"
    case .perChannel: "perChannel"
    case .perGroup(let size): "perGroup(\(size))"
    case .perBlock(let rows, let columns): "perBlock(\(rows)x\(columns))"
    }
  }

  /// The granularity of that name. Throws ``NumberFormatError`` that shows the forms for any other.
  public init(name: String) throws {
    if let kind = Granularity.Kind(parsing: name) {
      self = kind
      return
    }
    throw NumberFormatError(
      .unknownName,
      "'\(name)' is no granularity; must be perTensor, perChannel, perGroup(size) or "
        + "perBlock(rowsxcolumns), sizes at least 1")
  }

  private init?(parsing name: String) {
    func sizes(_ prefix: String) -> [Int]? {
      guard name.hasPrefix(prefix + "("), name.hasSuffix(")") else { return nil }
      let parts = name.dropFirst(prefix.count + 1).dropLast()
        .split(separator: "x", omittingEmptySubsequences: false)
      let sizes = parts.compactMap { part in
        part.allSatisfy { "0"..."9" ~= $0 } ? Int(part) : nil
      }
      return sizes.count == parts.count && sizes.allSatisfy { $0 > 0 } ? sizes : nil
    }
    if name == "perTensor" {
      self = .perTensor
    } else if name == "perChannel" {
      self = .perChannel
    } else if let sizes = sizes("perGroup"), sizes.count == 1 {
      self = .perGroup(size: sizes[0])
    } else if let sizes = sizes("perBlock"), sizes.count == 2 {
      self = .perBlock(rows: sizes[0], columns: sizes[1])
    } else {
      return nil
    }
  }
}
