import Tensors

/// The operators that summarize neighbourhoods or whole channels of `[N, C, spatial…]`.
let poolingOperators: [any Operator.Type] = [
  MaxPool.self, AveragePool.self, LpPool.self, GlobalAveragePool.self, GlobalMaxPool.self,
  GlobalLpPool.self, MaxUnpool.self, RoiAlign.self,
]

/// An operator that summarizes a window that slides over the spatial axes.
public protocol PoolingOperator: Operator {
  /// How the window slides.
  var window: SlidingWindow { get }
  /// Whether a last position that reaches beyond the padding counts.
  var roundsUp: Bool { get }
}

extension PoolingOperator {
  public static var inputCount: ClosedRange<Int> { 1...1 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(inputs[0].elementType, try pooledDimensions(inputs))]
  }

  func pooledDimensions(_ inputs: OperatorInputs) throws -> [Dimension]? {
    try inputs.requireRank(0, 3...Int.max)
    guard let input = inputs[0].dimensions else { return nil }
    let kernel = window.kernelShape ?? []
    guard kernel.count == input.count - 2 else {
      throw GraphError(
        .mismatchedTypes,
        "attribute 'kernel_shape' is \(kernel); must have \(input.count - 2) numbers")
    }
    guard window.padsLessThanKernel else {
      throw GraphError(
        .invalidAttribute, "attribute 'pads' must be less than what the kernel reaches over")
    }
    let spatial = try window.outputDimensions(
      input: Array(input.dropFirst(2)), kernel: kernel.map { .fixed($0) }, roundsUp: roundsUp)
    return [input[0], input[1]] + spatial
  }
}

/// The greatest element of each window; the second output says where in the whole input it stands, as int64.
public struct MaxPool: PoolingOperator {
  public static let name: OperatorName = "MaxPool"
  public static let outputCount = 1...2
  public let window: SlidingWindow
  public let roundsUp: Bool
  /// Whether places count the innermost axis slowest.
  public let isColumnMajor: Bool

  public init(_ attributes: inout AttributeReader) throws {
    window = try SlidingWindow(&attributes, needsKernel: true)
    roundsUp = try attributes.flag("ceil_mode", default: false)
    isColumnMajor = try attributes.flag("storage_order", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let dimensions = try pooledDimensions(inputs)
    return [ValueType(inputs[0].elementType, dimensions), ValueType(.int64, dimensions)]
  }
}

/// The mean of each window.
public struct AveragePool: PoolingOperator {
  public static let name: OperatorName = "AveragePool"
  public let window: SlidingWindow
  public let roundsUp: Bool
  /// Whether padding counts as zeros; else it is left out of the mean.
  public let countsPadding: Bool

  public init(_ attributes: inout AttributeReader) throws {
    window = try SlidingWindow(&attributes, needsKernel: true)
    roundsUp = try attributes.flag("ceil_mode", default: false)
    countsPadding = try attributes.flag("count_include_pad", default: false)
  }
}

/// The p-norm of each window, `(Σ |x|ᵖ)^(1/p)`.
public struct LpPool: PoolingOperator {
  public static let name: OperatorName = "LpPool"
  public let window: SlidingWindow
  public let roundsUp: Bool
  /// The norm's order, 1 or greater.
  public let p: Int

  public init(_ attributes: inout AttributeReader) throws {
    window = try SlidingWindow(&attributes, needsKernel: true)
    roundsUp = try attributes.flag("ceil_mode", default: false)
    p = try attributes.normOrder()
  }
}

extension AttributeReader {
  mutating func normOrder() throws -> Int {
    let p = try int("p", default: 2)
    guard p >= 1 else { throw invalid("p", "is \(p); must be 1 or greater") }
    return p
  }
}

/// An operator that summarizes each channel to one element.
public protocol GlobalPoolingOperator: Operator {}

extension GlobalPoolingOperator {
  public static var inputCount: ClosedRange<Int> { 1...1 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...Int.max)
    let dimensions = inputs[0].dimensions.map {
      $0.prefix(2) + [Dimension](repeating: 1, count: $0.count - 2)
    }
    return [ValueType(inputs[0].elementType, dimensions.map(Array.init))]
  }
}

/// The mean of each channel.
public struct GlobalAveragePool: GlobalPoolingOperator, SettinglessOperator {
  public static let name: OperatorName = "GlobalAveragePool"
  public init() {}
}

/// The greatest element of each channel.
public struct GlobalMaxPool: GlobalPoolingOperator, SettinglessOperator {
  public static let name: OperatorName = "GlobalMaxPool"
  public init() {}
}

/// The p-norm of each channel.
public struct GlobalLpPool: GlobalPoolingOperator {
  public static let name: OperatorName = "GlobalLpPool"
  /// The norm's order, 1 or greater.
  public let p: Int

  public init(_ attributes: inout AttributeReader) throws { p = try attributes.normOrder() }
}

/// Undoes a ``MaxPool``: elements go back to where they stood, the rest is 0.
///
/// Inputs: x, the places as int64, the output's shape?.
public struct MaxUnpool: Operator {
  public static let name: OperatorName = "MaxUnpool"
  public static let inputCount = 2...3
  /// How the window slid.
  public let window: SlidingWindow

  public init(_ attributes: inout AttributeReader) throws {
    window = try SlidingWindow(&attributes, needsKernel: true)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    try inputs.requireRank(0, 3...Int.max)
    let type = inputs[0].elementType
    guard let input = inputs[0].dimensions else { return [ValueType(type, nil)] }
    guard window.kernelShape?.count == input.count - 2 else {
      throw GraphError(
        .mismatchedTypes,
        "attribute 'kernel_shape' must have \(input.count - 2) numbers, one per spatial axis")
    }
    if inputs.has(2) {
      guard let lengths = inputs.integers(2) else {
        return [ValueType(type, input.map { _ in .unknown })]
      }
      return [ValueType(type, try ShapeRules.dimensions(lengths))]
    }
    let spatial = input.dropFirst(2).enumerated().map { index, dimension -> Dimension in
      dimension.length.map { .fixed(length(of: index, pooled: $0)) } ?? .unknown
    }
    return [ValueType(type, [input[0], input[1]] + spatial)]
  }

  /// The length of a spatial axis before pooling, of which `pooled` positions are left.
  package func length(of axis: Int, pooled: Int) -> Int {
    let kernel = window.kernelShape?[axis] ?? 1
    let rank = window.kernelShape?.count ?? 0
    var pads = 0
    if case .explicit(let list?) = window.padding { pads = list[axis] + list[axis + rank] }
    let steps = min(pooled, SlidingWindow.limit) - 1
    return max(steps * (window.strides?[axis] ?? 1) + kernel - pads, 0)
  }
}
