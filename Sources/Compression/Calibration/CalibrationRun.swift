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
  /// Values that share a range are gathered together. What `known` holds of the very same values is not gathered again. One
  /// pass at most; no value is kept. Throws where there is no sample, where the model can't be run, and at a number that is
  /// not finite in a value whose range is needed, naming sample, value and index.
  func statistics(
    of model: Model, on samples: any CalibrationSamples, completing known: CalibrationStatistics?
  ) throws -> CalibrationStatistics {
    let needed = ranges.filter { $0.value.fixed == nil }
    let present = needed.filter {
      known?[$0.key]?.kinds == requirements[$0.key] && known?.members[$0.key] == $0.value.sources
    }
    var statistics = CalibrationStatistics(
      requirements.filter { present[$0.key] == nil }, members: needed.mapValues(\.sources))
    var roots: [String: String] = [:]
    for (root, range) in needed where present[root] == nil {
      for source in range.sources { roots[source] = root }
    }
    for (name, root) in roots.sorted(by: { $0.key < $1.key }) {
      if let constant = model.graph.constants[name] {
        try explainingInfinities(in: constant, name, model.graph) {
          try statistics.observe(root, constant)
        }
      }
    }
    if !roots.isEmpty {
      statistics = try gathered(statistics, by: roots, of: model, on: samples)
    }
    if let known { statistics.add(present.keys, from: known) }
    return statistics
  }

  private func gathered(
    _ statistics: CalibrationStatistics, by roots: [String: String], of model: Model,
    on samples: any CalibrationSamples
  ) throws -> CalibrationStatistics {
    var statistics = statistics
    let names = Set(roots.keys.filter { model.graph.constants[$0] == nil })
    let network = try CompiledModel(model, keeping: names)
    try samples.forEachSample { sample in
      var seen: Set<String> = []
      _ = try network.run(sample, viewing: names) { name, value in
        guard let root = roots[name] else { return }
        let isAnother = !seen.insert(root).inserted
        try explainingInfinities(in: value.tensor(), name, model.graph) {
          try statistics.observe(root, value, continuesBatch: isAnother)
        }
      }
    }
    return statistics
  }

  /// Runs `body`; where it finds that a value holds infinities, as masks do, the error says what to keep float.
  private func explainingInfinities(
    in value: @autoclosure () -> Tensor, _ name: String, _ graph: Graph, _ body: () throws -> Void
  ) throws {
    do {
      try body()
    } catch let error as NumberFormatError where error.code == .notFinite {
      let value = value()
      let numbers = value.nonFiniteNumbers()
      guard numbers.nanCount == 0, let first = numbers.first else { throw error }
      let quantized = zip(graph.nodes, entries).filter { node, entry in
        entry.treatment != .float && (node.inputs + node.outputs).contains(name)
      }
      let labels = quantized.map(\.1.node).joined(separator: ", ")
      throw QuantizationError(
        .invalidValue,
        "an infinity at \(value.index(ofElementAt: first)), so that it has no range; where it is meant, as in "
          + "masks, keep what computes with it in float: keepFloat: [\(labels)] in a recipe; else repair "
          + "the samples or the network", path: [name])
    }
  }

  /// The range of each group of values, as its estimator sees the statistics. Groups are shared out over threads.
  func ranges(given statistics: CalibrationStatistics) throws -> [String: ValueRange] {
    let wanted = try ranges.filter { $0.value.fixed == nil }.sorted { $0.key < $1.key }.map {
      root, range in
      guard let known = statistics[root], let scheme = values[root]?.scheme else {
        throw QuantizationError(
          .missingStatistics,
          "the statistics lack this value; calibrate with the recipe that quantizes", path: [root])
      }
      return (root: root, known: known, scheme: scheme, range.settings.estimator.estimator)
    }
    var found = [ValueRange](repeating: ValueRange(0, 0), count: wanted.count)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let found = found
      parallelFor(wanted.count) { index in
        let (_, known, scheme, estimator) = wanted[index]
        found[index] = estimator.range(from: known, for: scheme)
      }
    }
    return Dictionary(uniqueKeysWithValues: zip(wanted.map(\.root), found))
  }
}
