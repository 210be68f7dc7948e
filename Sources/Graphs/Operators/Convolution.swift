import Tensors

/// The convolutions.
let convolutionOperators: [any Operator.Type] = [
  Conv.self, ConvInteger.self, ConvTranspose.self, FusedConv.self,
]

/// What all convolutions share: groups of channels, and how the kernel slides.
public struct ConvolutionSettings: Hashable, Sendable {
  /// How many parts the channels are split into, each convolved on its own.
  public let group: Int
  /// How the kernel slides.
  public let window: SlidingWindow

  init(_ attributes: inout AttributeReader) throws {
    group = try attributes.int("group", default: 1)
    guard (1...SlidingWindow.limit).contains(group) else {
      throw attributes.invalid("group", "is \(group); must be 1 or greater")
    }
    window = try SlidingWindow(&attributes)
  }

  /// The axes of a convolution of `x[N, C, spatial…]` with `w[M, C/group, kernel…]`.
  func dimensions(_ x: ValueType, _ w: ValueType) throws -> [Dimension]? {
    if let rank = x.rank, let other = w.rank, rank != other {
      throw GraphError(
        .mismatchedTypes, "the input is \(x), the weights \(w); must have as many axes")
    }
    if let rank = x.rank ?? w.rank, rank < 3 {
      throw GraphError(
        .mismatchedTypes, "the input has \(rank) axes; must have batch, channel and 1 or more")
    }
    if let channels = x.dimensions?[1].length, let perGroup = w.dimensions?[1].length,
      !isProduct(channels, perGroup, group)
    {
      throw GraphError(
        .mismatchedTypes,
        "the input has \(channels) channels, the weights \(perGroup) in each of \(group) groups")
    }
    if let outputs = w.dimensions?[0].length, outputs % group != 0 {
      throw GraphError(
        .mismatchedTypes, "\(outputs) output channels can't be split into \(group) groups")
    }
    guard let input = x.dimensions else { return nil }
    let kernel = kernelDimensions(w, rank: input.count)
    let spatial = try window.outputDimensions(input: Array(input.dropFirst(2)), kernel: kernel)
    return [input[0], w.dimensions?[0] ?? .unknown] + spatial
  }

  func kernelDimensions(_ w: ValueType, rank: Int) -> [Dimension] {
    if let dimensions = w.dimensions { return Array(dimensions.dropFirst(2)) }
    return window.kernelShape?.map { .fixed($0) }
      ?? [Dimension](repeating: .unknown, count: rank - 2)
  }
}

/// Whether `product = a · b`, for lengths ≥ 0 whose product may overflow.
func isProduct(_ product: Int, _ a: Int, _ b: Int) -> Bool {
  let (value, overflow) = a.multipliedReportingOverflow(by: b)
  return !overflow && value == product
}

/// Throws ``GraphError`` where a vector's length is known and isn't `length`, if that is known.
func checkVector(
  _ inputs: OperatorInputs, _ index: Int, _ what: String, length: Dimension?
) throws {
  guard inputs.has(index), let dimensions = inputs[index].dimensions else { return }
  let expected = length.map { $0.length == nil ? "" : " of length \($0)" } ?? ""
  let fits = dimensions.count == 1
  let known = dimensions.first?.length
  guard fits, known == nil || length?.length == nil || known == length?.length else {
    throw GraphError(
      .mismatchedTypes, "the \(what) is \(inputs[index]); must be a vector\(expected)")
  }
}

/// Cross-correlation of `x[N, C, spatial…]` with `w[M, C/group, kernel…]`, plus a bias `[M]`.
///
/// Inputs: x, w, bias?. Output: `[N, M, positions…]`.
public struct Conv: Operator {
  public static let name: OperatorName = "Conv"
  public static let inputCount = 2...3
  /// Groups, and how the kernel slides.
  public let settings: ConvolutionSettings

  public init(_ attributes: inout AttributeReader) throws {
    settings = try ConvolutionSettings(&attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = try Broadcasting.commonElementType([inputs[0], inputs[1]])
    let dimensions = try settings.dimensions(inputs[0], inputs[1])
    try checkVector(inputs, 2, "bias", length: inputs[1].dimensions?[0])
    return [ValueType(type, dimensions)]
  }
}

/// Convolution of 8-bit codes, summed in 32 bits.
///
/// Inputs: x, w, x's zero point?, w's zero point? (one, or one per output channel).
public struct ConvInteger: Operator {
  public static let name: OperatorName = "ConvInteger"
  public static let inputCount = 2...4
  /// Groups, and how the kernel slides.
  public let settings: ConvolutionSettings

  public init(_ attributes: inout AttributeReader) throws {
    settings = try ConvolutionSettings(&attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int8, .uint8)
    try inputs.requireType(1, .int8, .uint8)
    return [ValueType(.int32, try settings.dimensions(inputs[0], inputs[1]))]
  }
}

/// `activation(Conv(x, w, bias) + z)`, in ONNX Runtime's domain; inputs: x, w, bias?, z?.
public struct FusedConv: Operator {
  public static let name: OperatorName = .microsoft("FusedConv")
  public static let inputCount = 2...4
  /// Groups, and how the kernel slides.
  public let settings: ConvolutionSettings
  /// What is applied at the end.
  public let activation: FusedActivation

  public init(_ attributes: inout AttributeReader) throws {
    settings = try ConvolutionSettings(&attributes)
    let parameters = try attributes.floats("activation_params") ?? []
    activation = try FusedActivation(
      try attributes.string("activation"), parameters: parameters, &attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = try Broadcasting.commonElementType([inputs[0], inputs[1]])
    let dimensions = try settings.dimensions(inputs[0], inputs[1])
    try checkVector(inputs, 2, "bias", length: inputs[1].dimensions?[0])
    return [ValueType(type, dimensions)]
  }
}
