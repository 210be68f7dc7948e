import Tensors

/// The transpose (gradient) of a convolution: spreads each input element over the kernel.
///
/// Inputs: x `[N, C, spatial…]`, w `[C, M/group, kernel…]`, bias? `[M]`.
public struct ConvTranspose: Operator {
  public static let name: OperatorName = "ConvTranspose"
  public static let inputCount = 2...3
  /// Groups, and how the kernel slides over the output.
  public let settings: ConvolutionSettings
  /// What is added to the end of each spatial axis of the output.
  public let outputPadding: [Int]?
  /// The output's spatial lengths, where they are asked for.
  public let outputShape: [Int]?

  public init(_ attributes: inout AttributeReader) throws {
    settings = try ConvolutionSettings(&attributes)
    outputPadding = try attributes.ints("output_padding")
    outputShape = try attributes.ints("output_shape")
    for (name, values) in [("output_padding", outputPadding), ("output_shape", outputShape)] {
      guard let values else { continue }
      guard values.allSatisfy({ (0...SlidingWindow.limit).contains($0) }) else {
        throw attributes.invalid(name, "is \(values); must be 0 or greater")
      }
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = try Broadcasting.commonElementType([inputs[0], inputs[1]])
    let (x, w) = (inputs[0], inputs[1])
    if let rank = x.rank, let other = w.rank, rank != other || rank < 3 {
      throw GraphError(
        .mismatchedTypes,
        "the input is \(x), the weights \(w); must have as many axes, 3 or more")
    }
    if let channels = x.dimensions?[1].length, let rows = w.dimensions?[0].length,
      channels != rows || channels % settings.group != 0
    {
      throw GraphError(
        .mismatchedTypes,
        "the input has \(channels) channels, the weights \(rows) in \(settings.group) groups")
    }
    guard let input = x.dimensions else { return [ValueType(type, nil)] }
    var channels = Dimension.unknown
    if let perGroup = w.dimensions?[1].length {
      let (count, overflow) = perGroup.multipliedReportingOverflow(by: settings.group)
      if !overflow { channels = .fixed(count) }
    }
    try checkVector(inputs, 2, "bias", length: channels)
    let kernel = settings.kernelDimensions(w, rank: input.count)
    let spatial = try input.indices.dropFirst(2).map { index -> Dimension in
      guard let length = input[index].length, let kernel = kernel[index - 2].length else {
        return outputShape.flatMap { index - 2 < $0.count ? .fixed($0[index - 2]) : nil }
          ?? .unknown
      }
      return .fixed(
        try axis(index - 2, length: length, kernel: kernel, rank: input.count - 2).input)
    }
    return [ValueType(type, [input[0], channels] + spatial)]
  }

  /// The window's way along each axis of the *output*: its `input` is the output's length.
  package func axes(input: [Int], kernel: [Int]) throws -> [SlidingWindow.Axis] {
    try input.indices.map {
      try axis($0, length: input[$0], kernel: kernel[$0], rank: input.count)
    }
  }

  private func axis(
    _ index: Int, length: Int, kernel: Int, rank: Int
  ) throws -> SlidingWindow.Axis {
    let window = settings.window
    let lists = [
      window.strides, window.dilations, window.kernelShape, outputPadding, outputShape,
    ]
    guard lists.allSatisfy({ $0 == nil || $0?.count == rank }),
      window.kernelShape == nil || window.kernelShape?[index] == kernel
    else {
      throw GraphError(
        .invalidAttribute,
        "kernel_shape, strides, dilations, output_padding and output_shape must each have "
          + "\(rank) numbers, the kernel's as the weights")
    }
    try SlidingWindow.check(length: length, kernel: kernel, index)
    var axis = SlidingWindow.Axis(
      input: 0, kernel: kernel, stride: window.strides?[index] ?? 1,
      dilation: window.dilations?[index] ?? 1, padBegin: 0, padEnd: 0, output: length)
    let full =
      (length - 1) * axis.stride + axis.reach + (outputPadding?[index] ?? 0)
    switch window.padding {
    case .explicit(let pads) where outputShape == nil:
      guard pads == nil || pads?.count == 2 * rank else {
        throw GraphError(.invalidAttribute, "attribute 'pads' must have \(2 * rank) numbers")
      }
      axis.padBegin = pads?[index] ?? 0
      axis.padEnd = pads?[index + rank] ?? 0
      axis.input = full - axis.padBegin - axis.padEnd
    case let padding:
      axis.input = outputShape?[index] ?? length * axis.stride
      let total = max(full - axis.input, 0)
      let half = total / 2
      axis.padBegin = padding == .same(oddAtEnd: true) ? half : total - half
      axis.padEnd = total - axis.padBegin
    }
    guard axis.input > 0 else {
      throw GraphError(
        .invalidAttribute,
        "spatial axis \(index) of the output would have \(axis.input) elements; padding is too much"
      )
    }
    return axis
  }
}
