import Datasets
public import Execution
import Foundation
public import Tensors

/// How long a network takes for one run, from many.
public struct Latency: Sendable, Equatable {
  /// The time that half of the runs took at most, in milliseconds.
  public let median: Double
  /// The time that 95 % of the runs took at most, in milliseconds.
  public let percentile95: Double
  /// The times that 10 %, 90 % and 99 % of the runs took at most, in milliseconds.
  public let percentile10, percentile90, percentile99: Double
  /// The shortest time, in milliseconds.
  public let minimum: Double
  /// The mean of all times, in milliseconds.
  public let mean: Double
  /// The distance between the quartiles as a share of the median: 0.02 on a quiet machine, more where runs are disturbed.
  public let spread: Double
  /// The number of runs that were measured.
  public let runCount: Int
  /// The number of runs before them.
  public let warmUpCount: Int
  /// The number of threads.
  public let threadCount: Int

  /// The figures of measured times, in milliseconds. Traps where there are none.
  public init(times: [Double], warmUpCount: Int, threadCount: Int) {
    precondition(!times.isEmpty, "no runs were measured")
    let sorted = times.sorted()
    median = Self.quantile(0.5, of: sorted)
    percentile95 = Self.quantile(0.95, of: sorted)
    percentile10 = Self.quantile(0.1, of: sorted)
    percentile90 = Self.quantile(0.9, of: sorted)
    percentile99 = Self.quantile(0.99, of: sorted)
    minimum = sorted[0]
    mean = sorted.reduce(0, +) / Double(sorted.count)
    let quartiles = Self.quantile(0.75, of: sorted) - Self.quantile(0.25, of: sorted)
    spread = median > 0 ? quartiles / median : 0
    runCount = times.count
    self.warmUpCount = warmUpCount
    self.threadCount = threadCount
  }

  /// The spread above which a machine is said to be noisy, as a share of the median.
  public static let noisySpread = 0.15

  /// A line that says that times vary too much to be relied on; nil where they do not.
  public var warning: String? {
    guard spread > Self.noisySpread else { return nil }
    return
      "latencies vary by \(fixed(spread * 100, 0)) % (distance of the quartiles), so that the machine is busy or "
      + "changes its clock rate; measure again when it is quiet before relying on them"
  }

  /// The number of runs below which a median is said to tell little.
  public static let fewRuns = 10

  /// A line that says that there were too few runs; nil where there were enough.
  public var fewRunsWarning: String? {
    guard runCount < Self.fewRuns else { return nil }
    return "\(counted(runCount, "run")) only: medians and percentiles of fewer than "
      + "\(Self.fewRuns) say little; measure longer"
  }

  /// Between neighbours in proportion, as NumPy's default.
  static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
  }

  /// How long to measure.
  public struct Settings: Sendable, Equatable {
    /// How long the network runs before it is measured, in seconds: caches, clock rates and threads settle.
    public var warmUp = 0.3
    /// How long it is measured, in seconds.
    public var duration = 2.0
    /// The least number of runs that are measured, however long they take.
    public var leastRunCount = 10
    /// The greatest number of runs that are measured.
    public var greatestRunCount = 10_000

    /// 0.3 s of warm-up, then 2 s or ten runs.
    public init() {}

    /// The number of runs that are measured, however long they take; setting it makes ``duration`` meaningless.
    public var runCount: Int? {
      get { leastRunCount == greatestRunCount ? leastRunCount : nil }
      set {
        guard let newValue else { return }
        (leastRunCount, greatestRunCount) = (newValue, newValue)
      }
    }
  }
}

extension Latency: CustomStringConvertible {
  /// One line, as in `median 1.980 ms, 95 % 2.110 ms, least 1.950 ms; 1000 runs after 150, 2 threads`.
  public var description: String {
    "median \(duration(milliseconds: median)), 95 % \(duration(milliseconds: percentile95)), "
      + "least \(duration(milliseconds: minimum)); \(counted(runCount, "run")) after \(warmUpCount), "
      + counted(threadCount, "thread")
  }
}

/// Measures how long a network takes for given inputs, on ``Threads/count`` threads. Throws what running throws.
public func measureLatency(
  of executable: any Executable, on inputs: [String: Tensor],
  settings: Latency.Settings = .init()
) throws -> Latency {
  var outputs: [String: Tensor] = [:]
  let (times, warmUpCount) = try settings.timed(1) {
    [try seconds { try executable.run(inputs, into: &outputs) }]
  }
  return Latency(
    times: times.map { $0[0] * 1000 }, warmUpCount: warmUpCount, threadCount: Threads.count)
}

extension Latency.Settings {
  /// The seconds that each of `count` networks takes in each turn, after turns that only warm up, whose number is told.
  func timed(
    _ count: Int, _ turn: () throws -> [Double]
  ) rethrows -> (times: [[Double]], warmUpCount: Int) {
    var warmUpCount = 0
    var total = 0.0
    repeat {
      total += try turn().reduce(0, +)
      warmUpCount += 1
    } while total < Double(count) * warmUp
    var times: [[Double]] = []
    total = 0
    repeat {
      times.append(try turn())
      total += times[times.count - 1].reduce(0, +)
    } while (total < Double(count) * duration || times.count < leastRunCount)
      && times.count < greatestRunCount
    return (times, warmUpCount)
  }
}

/// How many seconds `body` takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  try ContinuousClock().measure(body) / .seconds(1)
}
