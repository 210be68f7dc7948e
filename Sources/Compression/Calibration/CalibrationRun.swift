import Execution
import Graphs
import NumberFormats
import Tensors

extension QuantizationPlan {
  /// What must be gathered of the values of a model, by the name that stands for all values of a range.
  var requirements: [String: Set<StatisticKind>] {
    ranges.filter { $0.value.fixed == nil }.mapValues { $0.settings.estimator.estimator.requires }
  }

  /// Runs the model on each sample in order and gathers what the ranges of the plan need.
  ///
  /// Values that share a range are gathered together. One pass; no value is kept. Throws where there is no sample, where the
  /// model can't be run, and at a value that is not finite, naming sample, value and index.
  func statistics(
    of model: Model, on samples: any CalibrationSamples
  ) throws -> CalibrationStatistics {
    var statistics = CalibrationStatistics(requirements)
    var roots: [String: String] = [:]
    for (root, range) in ranges where range.fixed == nil {
      for source in range.sources { roots[source] = root }
    }
    for (name, root) in roots.sorted(by: { $0.key < $1.key }) {
      if let constant = model.graph.constants[name] { try statistics.observe(root, constant) }
    }
    guard !roots.isEmpty else { return statistics }
    let interpreter = try Interpreter(model)
    try samples.forEachSample { sample in
      var seen: Set<String> = []
      _ = try interpreter.run(sample) { name, value in
        guard let root = roots[name] else { return }
        let isAnother = !seen.insert(root).inserted
        try statistics.observe(root, value, continuesBatch: isAnother)
      }
    }
    return statistics
  }

  /// The range of each group of values, as its estimator sees the statistics.
  func ranges(given statistics: CalibrationStatistics) throws -> [String: ValueRange] {
    var result: [String: ValueRange] = [:]
    for (root, range) in ranges where range.fixed == nil {
      guard let known = statistics[root], let scheme = values[root]?.scheme else {
        throw QuantizationError(
          .missingStatistics,
          "the statistics lack this value; calibrate with the recipe that quantizes", path: [root])
      }
      result[root] = range.settings.estimator.estimator.range(from: known, for: scheme)
    }
    return result
  }
}
