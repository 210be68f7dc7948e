import Datasets

extension Benchmark.Run {
  /// The share of all processors that others may use before it is said.
  static let notableOthers = 0.1
  /// The share of the threads that the peak must gain before it is said that it does not.
  static let leastGain = 0.75

  /// Whether other programs used a notable part of the machine meanwhile.
  var isDisturbed: Bool { others.map { $0 > Self.notableOthers } ?? false }

  /// What to know before relying on the figures.
  ///
  /// - Parameter processorCount: how many processors the process may use.
  func warnings(processorCount: Int) -> [String] {
    let threadCount = limits.threadCount
    var warnings = [comparison?.warning ?? (comparison == nil ? latency.warning : nil)]
    warnings.append(latency.fewRunsWarning)
    if let others, isDisturbed {
      warnings.append(
        "other programs used \(fixed(others * 100, 0)) % of all processors meanwhile, so that times are "
          + "too long and limits may be too low; measure again when the machine is quiet")
    }
    if threadCount > processorCount {
      warnings.append(
        "\(threadCount) threads on \(counted(processorCount, "processor")) wait for each other; "
          + "measure with \(processorCount) at most")
    } else if limits.peakGain < Self.leastGain * Double(threadCount) {
      warnings.append(
        "\(threadCount) threads reached only \(fixed(limits.peakGain, 2)) times the float peak of one: other programs use "
          + "the processors, or the threads share cores; the machine's limits, and shares of them, hold for that only"
      )
    }
    return warnings.compactMap { $0 }
  }
}
