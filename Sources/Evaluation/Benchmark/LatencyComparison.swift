public import Execution
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

  /// The figures of times in milliseconds, those at one place measured one after the other. Traps where there are none.
  public init(times: [(first: Double, second: Double)], warmUpCount: Int, threadCount: Int) {
    first = Latency(
      times: times.map(\.first), warmUpCount: warmUpCount, threadCount: threadCount)
    second = Latency(
      times: times.map(\.second), warmUpCount: warmUpCount, threadCount: threadCount)
    speedup = Latency.quantile(0.5, of: times.map { $0.first / $0.second }.sorted())
  }

  /// The spread above which a machine is said to be noisy, as a share of the median.
  public static let noisySpread = 0.15

  /// A line that says that times vary too much to be relied on; nil where they do not.
  public var warning: String? {
    let spread = max(first.spread, second.spread)
    guard spread > Self.noisySpread else { return nil }
    return
      "latencies vary by \(fixed(spread * 100, 0)) % (distance of the quartiles), so that the machine is busy or "
      + "changes its clock rate; measure again when it is quiet before relying on them"
  }
}

/// Measures how long two networks take for the same inputs, run by run in turns, on ``Threads/count`` threads.
///
/// - Parameter settings: for each of the two.
///
/// Throws what running throws.
public func compareLatency(
  of first: any Executable, with second: any Executable, on inputs: [String: Tensor],
  settings: Latency.Settings = .init()
) throws -> LatencyComparison {
  let (times, warmUpCount) = try settings.timed(2) {
    [try seconds { _ = try first.run(inputs) }, try seconds { _ = try second.run(inputs) }]
  }
  return LatencyComparison(
    times: times.map { ($0[0] * 1000, $0[1] * 1000) }, warmUpCount: warmUpCount,
    threadCount: Threads.count)
}
