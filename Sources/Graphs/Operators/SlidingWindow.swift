import Tensors

/// How the kernel of a convolution or a pooling slides over the spatial axes of `[N, C, spatial…]`.
public struct SlidingWindow: Hashable, Sendable {
  /// The kernel's length along each spatial axis; nil where the weights say it.
  public let kernelShape: [Int]?
  /// The distance between neighbouring positions; nil where it is 1 everywhere.
  public let strides: [Int]?
  /// The distance between neighbouring kernel elements; nil where it is 1 everywhere.
  public let dilations: [Int]?
  /// What surrounds the input.
  public let padding: Padding

  /// What surrounds the input.
  public enum Padding: Hashable, Sendable {
    /// So many elements at the begin of each axis, then at the end of each; nil where there is none.
    case explicit([Int]?)
    /// As much as it takes for `⌈length / stride⌉` positions, the odd one at the end or else at the begin.
    case same(oddAtEnd: Bool)
  }

  /// The greatest length, stride, dilation or padding: sums of products of two then can't overflow.
  static let limit = 1 << 30

  init(_ attributes: inout AttributeReader, needsKernel: Bool = false) throws {
    func list(_ name: String, atLeast least: Int) throws -> [Int]? {
      guard let values = try attributes.ints(name) else { return nil }
      guard values.allSatisfy({ (least...SlidingWindow.limit).contains($0) }) else {
        throw attributes.invalid(
          name, "is \(values); must be from \(least) to \(SlidingWindow.limit)")
      }
      return values
    }
    kernelShape = try list("kernel_shape", atLeast: 1)
    if needsKernel { _ = try attributes.required("kernel_shape", kernelShape) }
    strides = try list("strides", atLeast: 1)
    dilations = try list("dilations", atLeast: 1)
    let pads = try list("pads", atLeast: 0)
    switch try attributes.choice("auto_pad", default: AutoPad.explicit) {
    case .explicit: padding = .explicit(pads)
    case .valid: padding = .explicit(nil)
    case .sameUpper: padding = .same(oddAtEnd: true)
    case .sameLower: padding = .same(oddAtEnd: false)
    }
    let ranks = [kernelShape?.count, strides?.count, dilations?.count, pads.map { $0.count / 2 }]
    let known = ranks.compactMap { $0 }
    guard known.allSatisfy({ $0 == known[0] }), (pads?.count ?? 0) % 2 == 0 else {
      throw GraphError(
        .invalidAttribute,
        "kernel_shape, strides, dilations and pads have \(known) spatial axes; must have the same")
    }
  }

  private enum AutoPad: String, CaseIterable {
    case explicit = "NOTSET"
    case valid = "VALID"
    case sameUpper = "SAME_UPPER"
    case sameLower = "SAME_LOWER"
  }
}

// MARK: - Positions

extension SlidingWindow {
  /// The window's way along one spatial axis of known length.
  package struct Axis: Hashable, Sendable {
    package var input: Int
    package var kernel: Int
    package var stride: Int
    package var dilation: Int
    package var padBegin: Int
    package var padEnd: Int
    /// The number of positions.
    package var output: Int

    /// An axis of one element.
    package static let single = Axis(
      input: 1, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0, output: 1)

    /// The elements that the kernel reaches over.
    package var reach: Int { (kernel - 1) * dilation + 1 }
  }

  /// The way along each axis of an input. Throws ``GraphError`` where the kernel is larger than the padded input.
  package func axes(
    input: [Int], kernel: [Int], roundsUp: Bool = false
  ) throws -> [Axis] {
    try check(spatialRank: input.count, kernel: kernel)
    return try input.indices.map {
      try axis($0, length: input[$0], kernel: kernel[$0], rank: input.count, roundsUp: roundsUp)
    }
  }

  /// The number of positions along each axis, as far as the input's lengths are known.
  func outputDimensions(
    input: [Dimension], kernel: [Dimension], roundsUp: Bool = false
  ) throws -> [Dimension] {
    try check(spatialRank: input.count, kernel: kernel.compactMap(\.length))
    return try input.indices.map { index in
      guard let length = kernel[index].length else { return .unknown }
      if let known = input[index].length {
        let axis = try axis(
          index, length: known, kernel: length, rank: input.count, roundsUp: roundsUp)
        return .fixed(axis.output)
      }
      return keepsLength(index, kernel: length, rank: input.count) ? input[index] : .unknown
    }
  }

  private func check(spatialRank: Int, kernel: [Int]) throws {
    guard let rank = kernelShape?.count ?? strides?.count ?? dilations?.count ?? padRank else {
      return
    }
    guard rank == spatialRank else {
      throw GraphError(
        .mismatchedTypes,
        "the window has \(rank) spatial axes, the input \(spatialRank); must be the same")
    }
    if let kernelShape, kernel.count == rank, kernelShape != kernel {
      throw GraphError(
        .mismatchedTypes,
        "attribute 'kernel_shape' is \(kernelShape), the weights' kernel \(kernel)")
    }
  }

  /// Throws ``GraphError`` where an axis or its kernel is empty or absurdly long.
  static func check(length: Int, kernel: Int, _ index: Int) throws {
    guard 1...limit ~= length, 1...limit ~= kernel else {
      throw GraphError(
        .mismatchedTypes,
        "spatial axis \(index) has \(length) elements, its kernel \(kernel); "
          + "must be 1 to \(limit)")
    }
  }

  /// Whether every position of a kernel of known shape lies on the input at least in part.
  var padsLessThanKernel: Bool {
    guard case .explicit(let pads?) = padding, let kernelShape else { return true }
    return pads.enumerated().allSatisfy { index, pad in
      let axis = index % kernelShape.count
      return pad <= (kernelShape[axis] - 1) * (dilations?[axis] ?? 1)
    }
  }

  private var padRank: Int? {
    if case .explicit(let pads?) = padding { pads.count / 2 } else { nil }
  }

  /// The padding at the begin and the end of an axis, where it does not depend on the input's length.
  private func pads(_ index: Int, rank: Int) -> (begin: Int, end: Int)? {
    guard case .explicit(let pads) = padding else { return nil }
    return (pads?[index] ?? 0, pads?[index + rank] ?? 0)
  }

  private func keepsLength(_ index: Int, kernel: Int, rank: Int) -> Bool {
    guard strides?[index] ?? 1 == 1 else { return false }
    guard let pads = pads(index, rank: rank) else { return true }
    return pads.begin + pads.end == (kernel - 1) * (dilations?[index] ?? 1)
  }

  private func axis(
    _ index: Int, length: Int, kernel: Int, rank: Int, roundsUp: Bool
  ) throws -> Axis {
    try SlidingWindow.check(length: length, kernel: kernel, index)
    var axis = Axis(
      input: length, kernel: kernel, stride: strides?[index] ?? 1,
      dilation: dilations?[index] ?? 1, padBegin: 0, padEnd: 0, output: 0)
    if let pads = pads(index, rank: rank) {
      (axis.padBegin, axis.padEnd) = pads
    } else {
      axis.output = (length + axis.stride - 1) / axis.stride
      let total = max((axis.output - 1) * axis.stride + axis.reach - length, 0)
      let half = total / 2
      let oddAtEnd = padding == .same(oddAtEnd: true)
      (axis.padBegin, axis.padEnd) = oddAtEnd ? (half, total - half) : (total - half, half)
      return axis
    }
    let room = length + axis.padBegin + axis.padEnd - axis.reach
    guard room >= 0 else {
      throw GraphError(
        .mismatchedTypes,
        "the kernel reaches over \(axis.reach) elements of spatial axis \(index), "
          + "which has \(length) and \(axis.padBegin) + \(axis.padEnd) of padding")
    }
    axis.output = (room + (roundsUp ? axis.stride - 1 : 0)) / axis.stride + 1
    // A position that would begin beyond the input, in the padding at the end, is left out.
    if roundsUp, (axis.output - 1) * axis.stride >= length + axis.padBegin { axis.output -= 1 }
    return axis
  }
}
