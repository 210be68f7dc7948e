import Tensors

/// The operators that put elements into another order of axes.
let transposingOperators: [any Operator.Type] = [
  Transpose.self, DepthToSpace.self, SpaceToDepth.self,
]

/// The axes in another order.
public struct Transpose: Operator {
  public static let name: OperatorName = "Transpose"
  public static let inputCount = 1...1
  /// For each axis of the result the one of the input; nil reverses them.
  public let permutation: [Int]?

  public init(_ attributes: inout AttributeReader) throws {
    permutation = try attributes.ints("perm")
    if let permutation, permutation.sorted() != Array(permutation.indices) {
      throw attributes.invalid(
        "perm", "is \(permutation); must name every axis from 0 on exactly once")
    }
  }

  /// For each axis of the result the one of the input. Throws ``GraphError`` where the number of axes differs.
  package func order(rank: Int) throws -> [Int] {
    guard let permutation else { return (0..<rank).reversed() }
    guard permutation.count == rank else {
      throw GraphError(
        .mismatchedTypes, "attribute 'perm' is \(permutation); the input has \(rank) axes")
    }
    return permutation
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    guard let dimensions = inputs[0].dimensions else {
      return [.ofRank(permutation?.count, inputs[0].elementType)]
    }
    return [inputs[0].with(try order(rank: dimensions.count).map { dimensions[$0] })]
  }
}

/// Blocks of channels become pixels: [N, C·b², H, W] → [N, C, H·b, W·b].
public struct DepthToSpace: Operator {
  public static let name: OperatorName = "DepthToSpace"
  public static let inputCount = 1...1

  /// How the channels of a block are numbered.
  public enum Mode: String, CaseIterable, Sendable {
    /// Position in the block first, then channel.
    case depthColumnRow = "DCR"
    /// Channel first, then position in the block.
    case columnRowDepth = "CRD"
  }

  /// The side of a block.
  public let blockSize: Int
  /// How the channels of a block are numbered.
  public let mode: Mode

  public init(_ attributes: inout AttributeReader) throws {
    blockSize = try attributes.blockSize()
    mode = try attributes.choice("mode", default: .depthColumnRow)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 4...4)
    guard let d = inputs[0].dimensions else { return [.ofRank(4, inputs[0].elementType)] }
    var channels = Dimension.unknown
    if let length = d[1].length {
      guard length % (blockSize * blockSize) == 0 else {
        throw GraphError(
          .mismatchedTypes,
          "\(length) channels can't be put into blocks of \(blockSize) × \(blockSize)")
      }
      channels = .fixed(length / (blockSize * blockSize))
    }
    return [
      inputs[0].with([
        d[0], channels, try ShapeRules.merged([d[2], .fixed(blockSize)]),
        try ShapeRules.merged([d[3], .fixed(blockSize)]),
      ])
    ]
  }
}

/// Blocks of pixels become channels: [N, C, H, W] → [N, b²·C, H/b, W/b], position in the block first.
public struct SpaceToDepth: Operator {
  public static let name: OperatorName = "SpaceToDepth"
  public static let inputCount = 1...1
  /// The side of a block.
  public let blockSize: Int

  public init(_ attributes: inout AttributeReader) throws {
    blockSize = try attributes.blockSize()
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 4...4)
    guard let d = inputs[0].dimensions else { return [.ofRank(4, inputs[0].elementType)] }
    let sides = try d[2...].map { side -> Dimension in
      guard let length = side.length else { return .unknown }
      guard length % blockSize == 0 else {
        throw GraphError(
          .mismatchedTypes, "a side of \(length) pixels can't be put into blocks of \(blockSize)")
      }
      return .fixed(length / blockSize)
    }
    let channels = try ShapeRules.merged([d[1], .fixed(blockSize * blockSize)])
    return [inputs[0].with([d[0], channels] + sides)]
  }
}

extension AttributeReader {
  /// The side of a block of pixels.
  fileprivate mutating func blockSize() throws -> Int {
    let size = try required("blocksize", int("blocksize"))
    guard (1...(1 << 15)).contains(size) else {
      throw invalid("blocksize", "is \(size); must be 1 to 32768")
    }
    return size
  }
}
