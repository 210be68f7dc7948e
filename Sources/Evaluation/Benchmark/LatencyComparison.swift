public import Execution
import Foundation
public import Tensors

/// How long two networks take, measured in turns.
public struct LatencyComparison: Sendable, Equatable {
  /// The first network's times.
  public let first: Latency
  /// The second network's times.
  public let second: Latency
  /// How many times faster the second is: the median of the ratios of neighbouring runs, which what disturbs both does not
  /// change.
  public let speedup: Double
  /// The quartiles of these ratios: half of all neighbouring runs are within.
  public let speedupRange: ClosedRange<Double>

  /// The figures of times in milliseconds, those at one place measured one after the other. Traps where there are none.
  public init(times: [(first: Double, second: Double)], warmUpCount: Int, threadCount: Int) {
    first = Latency(
      times: times.map(\.first), warmUpCount: warmUpCount, threadCount: threadCount)
    second = Latency(
      times: times.map(\.second), warmUpCount: warmUpCount, threadCount: threadCount)
    let ratios = times.map { $0.first / $0.second }.sorted()
    speedup = Latency.quantile(0.5, of: ratios)
    speedupRange = Latency.quantile(0.25, of: ratios)...Latency.quantile(0.75, of: ratios)
  }

  /// How the second network stands to the first, which is called `name`, as in `2.00× faster than float (1.95–2.02×)`, or
  /// `as fast as float (0.99–1.01×)` where the middle half of the ratios holds 1.
  ///
  /// - Parameter note: what follows the range in the parentheses.
  public func verdict(beside name: String, note: String = "") -> String {
    let (low, high) = (speedupRange.lowerBound, speedupRange.upperBound)
    if low > 1 { return Self.text("faster than \(name)", low, speedup, high, note) }
    if high < 1 {
      return Self.text("slower than \(name)", 1 / high, 1 / speedup, 1 / low, note)
    }
    return "as fast as \(name) (\(Self.range(low, high, 2))×\(note))"
  }

  /// A line that says that the second network, the first one quantized, is slower; nil where it is not clearly so.
  public var slownessWarning: String? {
    guard speedupRange.upperBound < 1 else { return nil }
    return "the quantized network is \(verdict(beside: "the float one")): "
      + "quantizing does not pay on this machine"
  }

  /// As in `2.00× faster than float (1.95–2.02×)`, with digits that tell the ratios, which are more than 1, from it.
  private static func text(
    _ relation: String, _ low: Double, _ median: Double, _ high: Double, _ note: String
  ) -> String {
    let digits = (2...4).first { low >= 1 + pow(10, -Double($0)) } ?? 4
    return "\(fixed(median, digits))× \(relation) (\(range(low, high, digits))×\(note))"
  }

  private static func range(_ low: Double, _ high: Double, _ digits: Int) -> String {
    let (low, high) = (fixed(low, digits), fixed(high, digits))
    return low == high ? low : "\(low)–\(high)"
  }

  /// A line that says that times vary too much to be relied on; nil where they do not.
  public var warning: String? { first.spread > second.spread ? first.warning : second.warning }
}

/// Measures how long two networks take for the same inputs, run by run in turns, on ``Threads/count`` threads.
///
/// The settings hold for each of the two.
///
/// Throws what running throws.
public func compareLatency(
  of first: any Executable, with second: any Executable, on inputs: [String: Tensor],
  settings: Latency.Settings = .init()
) throws -> LatencyComparison {
  var outputs: ([String: Tensor], [String: Tensor]) = ([:], [:])
  let (times, warmUpCount) = try settings.timed(2) {
    [
      try seconds { try first.run(inputs, into: &outputs.0) },
      try seconds { try second.run(inputs, into: &outputs.1) },
    ]
  }
  return LatencyComparison(
    times: times.map { ($0[0] * 1000, $0[1] * 1000) }, warmUpCount: warmUpCount,
    threadCount: Threads.count)
}
