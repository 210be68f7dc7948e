import NumberFormats

/// The numbers of a histogram, spread evenly inside of each bin; those that are exactly 0 left out.
struct PiecewiseDensity {
  /// A stretch of numbers, none outside of the range of all.
  private struct Piece {
    var low, high: Double
    var count: Double
  }

  /// More bins than this on a side make no difference to codes of up to 8 bits: a step then has several bins.
  private static let enough = 1024

  private let pieces: [Piece]
  private let count: Double

  init(_ histogram: Histogram, _ seen: RunningRange) {
    let (occupied, middle) = (histogram.occupied, histogram.binsPerSide)
    let farthest = max(middle - occupied.lowerBound, occupied.upperBound - middle)
    let joined = max(farthest / Self.enough, 1)
    var pieces: [Piece] = []
    // Bins are joined outwards from 0, so that 0 stays at an edge.
    for distance in stride(from: 0, to: farthest, by: joined) {
      let end = min(distance + joined, histogram.binsPerSide)
      for bins in [(middle - end)..<(middle - distance), (middle + distance)..<(middle + end)] {
        let count = histogram.counts[bins].reduce(0, +)
        guard count > 0 else { continue }
        let low = max(histogram.edge(bins.lowerBound), Double(seen.min))
        let high = min(histogram.edge(bins.upperBound), Double(seen.max))
        pieces.append(Piece(low: low, high: max(high, low), count: Double(count)))
      }
    }
    self.pieces = pieces
    count = pieces.reduce(0) { $0 + $1.count }
  }

  /// What it costs to quantize the numbers over a range.
  func cost(of scheme: QuantizationScheme, _ range: ValueRange) -> ClippingSearch.Cost {
    guard let (scale, zeroPoint) = try? scheme.parameters(for: range) else { return .infinite }
    return ClippingSearch.Cost(
      error: squaredError(of: scheme, scale, zeroPoint),
      rounding: scheme.greatestRounding(scale) * count)
  }

  /// The sum of squared errors of the quantized numbers.
  private func squaredError(
    of scheme: QuantizationScheme, _ scale: Float, _ zeroPoint: Int32
  ) -> Double {
    guard scheme.code.isLinear else { return error(atMiddles: scheme, scale, zeroPoint) }
    let step = Double(scale)
    let low = Double(scheme.codes.lowerBound - zeroPoint)
    let high = Double(scheme.codes.upperBound - zeroPoint)
    var sum = 0.0
    for piece in pieces {
      let (from, to) = (piece.low / step, piece.high / step)
      if to - from < 1e-9 {
        let distance = from - min(max(from.rounded(.toNearestOrEven), low), high)
        sum += piece.count * distance * distance
      } else {
        let area = integral(to, low, high) - integral(from, low, high)
        sum += piece.count * area / (to - from)
      }
    }
    return sum * step * step
  }

  /// ∫₀ˣ (t − code(t))² dt, where code(t) is the nearest whole number in low … high: each step contributes 1/12, and from the
  /// last code on it is a cube.
  private func integral(_ x: Double, _ low: Double, _ high: Double) -> Double {
    let code = min(max(x.rounded(.toNearestOrEven), low), high)
    let rest = x - code
    return code / 12 + rest * rest * rest / 3
  }

  /// The same with every number of a piece at its middle, for codes whose steps are not equal.
  private func error(
    atMiddles scheme: QuantizationScheme, _ scale: Float, _ zeroPoint: Int32
  ) -> Double {
    pieces.reduce(0) { sum, piece in
      let x = Float((piece.low + piece.high) / 2)
      let code = scheme.code(of: x, scale: scale, zeroPoint: zeroPoint)
      let error = Double(x) - Double(scheme.value(of: code, scale: scale, zeroPoint: zeroPoint))
      return sum + piece.count * error * error
    }
  }
}
