import Foundation
import NumberFormats
import Tensors

/// How far distributions as codes express them are from that of a histogram, for one range after the other.
///
/// Numbers that get one code lie in neighbouring bins. So sums over bins are differences of sums from the start, and there is
/// one logarithm a code.
struct CodedDivergence {
  /// The share of the even distribution that keeps the divergence finite.
  private static let smoothing = 1e-4

  /// Sums over the bins before one.
  private struct Sums {
    /// How many numbers.
    var count = 0.0
    /// How many bins that are not empty.
    var filled = 0.0
    /// Σ n log n, n being the numbers of a bin.
    var logarithms = 0.0
  }

  private let scheme: QuantizationScheme
  private let counts: [Int]
  /// The number in the middle of each bin.
  private let middles: [Float]
  private let before: [Sums]

  init(_ histogram: Histogram, _ scheme: QuantizationScheme) {
    self.scheme = scheme
    counts = histogram.counts
    middles = counts.indices.map {
      Float((histogram.edge($0) + histogram.edge($0 + 1)) / 2)
    }
    var sums = Sums()
    var before = [sums]
    before.reserveCapacity(counts.count + 1)
    for count in counts {
      sums.count += Double(count)
      sums.filled += count > 0 ? 1 : 0
      sums.logarithms += Self.logarithm(of: Double(count))
      before.append(sums)
    }
    self.before = before
  }

  /// n log n, 0 of 0.
  private static func logarithm(of n: Double) -> Double { n > 0 ? n * log(n) : 0 }

  /// The divergence Σ p log(p / q) for two bins or more that a range covers: p are the shares of the bins, numbers beyond standing
  /// in the outermost ones; q what the codes make of the numbers inside.
  ///
  /// O(bins + codes).
  func callAsFunction(_ bins: Range<Int>, _ range: ValueRange) -> Double {
    guard let (scale, zeroPoint) = try? scheme.parameters(for: range) else { return .infinity }
    let (start, end) = (before[bins.lowerBound], before[bins.upperBound])
    let whole = before[counts.count]
    let inside = end.count - start.count
    guard inside > 0 else { return .infinity }
    // The outermost bins: numbers inside, and numbers beyond.
    let edges = [
      (Double(counts[bins.lowerBound]), start.count),
      (Double(counts[bins.upperBound - 1]), whole.count - end.count),
    ]
    var support = end.filled - start.filled
    var logarithms = end.logarithms - start.logarithms
    for (inner, beyond) in edges where beyond > 0 {
      support += inner > 0 ? 0 : 1
      logarithms += Self.logarithm(of: inner + beyond) - Self.logarithm(of: inner)
    }
    let floor = Self.smoothing / support
    // Σ n log q, code by code.
    var (coded, first, last) = (0.0, log(floor), log(floor))
    forEachRun(bins, scale, zeroPoint) { run in
      let count = before[run.upperBound].count - before[run.lowerBound].count
      guard count > 0 else { return }
      let filled = before[run.upperBound].filled - before[run.lowerBound].filled
      let share = log((1 - Self.smoothing) * count / filled / inside + floor)
      coded += count * share
      // An edge bin that only clipped numbers fill has no code's share.
      if run.lowerBound == bins.lowerBound, edges[0].0 > 0 { first = share }
      if run.upperBound == bins.upperBound, edges[1].0 > 0 { last = share }
    }
    coded += edges[0].1 * first + edges[1].1 * last
    return (logarithms - coded) / whole.count - log(whole.count)
  }

  /// Calls `body` with the bins of each code, in order.
  private func forEachRun(
    _ bins: Range<Int>, _ scale: Float, _ zeroPoint: Int32, _ body: (Range<Int>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: bins.count) { codes in
      middles.withUnsafeBufferPointer { middles in
        let x = middles.baseAddress! + bins.lowerBound
        if scheme.code.isLinear {
          Kernels.quantize(
            x, codes.baseAddress!, count: bins.count, scale: scale, zeroPoint: zeroPoint,
            codes: scheme.codes)
        } else {
          for bin in 0..<bins.count {
            codes[bin] = scheme.code(of: x[bin], scale: scale, zeroPoint: zeroPoint)
          }
        }
      }
      var start = 0
      for bin in 1...codes.count where bin == codes.count || codes[bin] != codes[start] {
        body((bins.lowerBound + start)..<(bins.lowerBound + bin))
        start = bin
      }
    }
  }
}
