import Tensors

/// Quantizes and dequantizes the pieces of one tensor, whose codes are elements of type `Code`.
struct RegionCodec<Code: CodeElement>: @unchecked Sendable {
  let scheme: QuantizationScheme
  private let codes: ClosedRange<Int32>
  /// The parameters of regions, or, where the regions are slabs, of columns.
  private let scales: [Float]
  private let zeroPoints: [Int32]

  init(_ scheme: QuantizationScheme, _ parameters: QuantizationParameters, _ regions: Regions) {
    self.scheme = scheme
    // Codes read from files may use all of the type's range, whatever the mapping.
    codes = scheme.codes
    guard let slabs = regions.slabs, slabs.columnsPerRegion > 1 else {
      (scales, zeroPoints) = (parameters.scales, parameters.zeroPoints)
      return
    }
    let repeats = slabs.columnsPerRegion
    scales = parameters.scales.flatMap { [Float](repeating: $0, count: repeats) }
    zeroPoints = parameters.zeroPoints.flatMap { [Int32](repeating: $0, count: repeats) }
  }

  /// Quantizes a piece whose first element is at `x` and code at `y`.
  @inline(__always)
  func encode(
    _ piece: Regions.Piece, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Code>
  ) {
    switch piece {
    case .run(_, let count, let region):
      encodeRun(x, y, count, scales[region], zeroPoints[region])
    case .row(_, let count, let column): encodeRow(x, y, count, column)
    }
  }

  /// Dequantizes a piece whose first code is at `x` and element at `y`.
  @inline(__always)
  func decode(
    _ piece: Regions.Piece, _ x: UnsafePointer<Code>, _ y: UnsafeMutablePointer<Float>
  ) {
    switch piece {
    case .run(_, let count, let region):
      decodeRun(x, y, count, scales[region], zeroPoints[region])
    case .row(_, let count, let column): decodeRow(x, y, count, column)
    }
  }

  private func encodeRun(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Code>, _ count: Int, _ scale: Float,
    _ zeroPoint: Int32
  ) {
    if scheme.code.isLinear {
      Code.quantize(x, y, count: count, scale: scale, zeroPoint: zeroPoint, codes: codes)
    } else {
      let quantMax = scheme.code.quantMax
      for i in 0..<count {
        y[i] = Code(truncatingIfNeeded: RoundingRule.powerOfTwo(x[i] / scale, quantMax))
      }
    }
  }

  private func decodeRun(
    _ x: UnsafePointer<Code>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ scale: Float,
    _ zeroPoint: Int32
  ) {
    if scheme.code.isLinear {
      Code.dequantize(x, y, count: count, scale: scale, zeroPoint: zeroPoint)
    } else {
      let quantMax = scheme.code.quantMax
      for i in 0..<count {
        y[i] = RoundingRule.value(ofPowerOfTwo: Int32(x[i]), quantMax, scale)
      }
    }
  }

  private func encodeRow(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Code>, _ count: Int, _ column: Int
  ) {
    scales.withUnsafeBufferPointer { scales in
      zeroPoints.withUnsafeBufferPointer { zeroPoints in
        guard let scale = scales.baseAddress, let zero = zeroPoints.baseAddress else { return }
        guard scheme.code.isLinear else {
          for i in 0..<count { encodeRun(x + i, y + i, 1, scale[column + i], 0) }
          return
        }
        let (low, high) = (codes.lowerBound, codes.upperBound)
        for i in 0..<count {
          let zeroPoint = zero[column + i]
          let code = RoundingRule.linear(
            x[i] / scale[column + i], zeroPoint, Float(low &- zeroPoint), Float(high &- zeroPoint))
          y[i] = Code(truncatingIfNeeded: code)
        }
      }
    }
  }

  private func decodeRow(
    _ x: UnsafePointer<Code>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ column: Int
  ) {
    scales.withUnsafeBufferPointer { scales in
      zeroPoints.withUnsafeBufferPointer { zeroPoints in
        guard let scale = scales.baseAddress, let zero = zeroPoints.baseAddress else { return }
        guard scheme.code.isLinear else {
          for i in 0..<count { decodeRun(x + i, y + i, 1, scale[column + i], 0) }
          return
        }
        for i in 0..<count {
          y[i] = Float(Int32(x[i]) &- zero[column + i]) * scale[column + i]
        }
      }
    }
  }
}
