public import Datasets
public import Execution
import Graphs
import Tensors

/// What a network, and the one it is compared with, reached on a dataset.
public struct Evaluation: Sendable, Equatable {
  /// The number of samples.
  public let sampleCount: Int
  /// What was asked for, by metric. What needs the other network's values is NaN where some are finite in one network only.
  public let values: [Metric: Double]
  /// The metrics that are told from labels, of the network that was compared with.
  public let referenceValues: [Metric: Double]
  /// The number of values that are NaN or infinite where the other network's are something else.
  public var nonFiniteCount = 0
  /// What to warn of; nil where nothing is.
  public var warning: String?

  /// How many samples of a batch are done, of how many.
  public typealias Progress = (_ done: Int, _ count: Int) -> Void
}

/// Runs a network on a dataset and measures how good it is.
///
/// Outputs are judged batch by batch and not kept.
/// - Parameters:
///   - executable: the network, ready to run.
///   - dataset: the samples, labelled where a metric needs labels; there must be one at least.
///   - metrics: what is measured.
///   - output: the output that is judged; nil: the first one.
///   - reference: the network whose outputs are held to be right; it runs on the same batches.
///   - batchSize: how many samples run together where the network takes any number.
///   - progress: called after each batch.
///
/// Throws ``EvaluationError`` where a metric needs labels or a reference that is not there, and what running and reading throw.
public func evaluate(
  _ executable: any Executable, on dataset: Dataset, metrics: [Metric], output: String? = nil,
  reference: (any Executable)? = nil, batchSize: Int = 8, progress: Evaluation.Progress? = nil
) throws -> Evaluation {
  let name = try outputName(output, of: executable)
  for metric in metrics {
    if metric.needsLabels && dataset.labels == nil {
      throw EvaluationError(
        .missingReference,
        "\(metric.title) needs labels, the data has none; sort pictures into a folder a class, or "
          + "add labels to the .npz")
    }
    if metric.needsReference && reference == nil {
      throw EvaluationError(
        .missingReference, "\(metric.title) needs another network to compare with; give both")
    }
  }
  guard dataset.count > 0 else {
    throw EvaluationError(.mismatch, "there are no samples to evaluate on; give more data")
  }
  var own = MetricCounters()
  var other = MetricCounters()
  for batch in dataset.batches(of: batchSize) {
    let inputs = try dataset.batch(batch.indices)
    let labels = dataset.labels.map { labels in batch.indices.map { labels[$0] } }
    let result = try samples(executable.run(inputs), name, batch)
    let expected = try reference.map { try samples($0.run(inputs), name, batch) }
    try located("output \(name)") {
      try own.add(result, labels: labels, expected: expected, metrics)
      if let expected { try other.add(expected, labels: labels, expected: nil, metrics) }
    }
    progress?(batch.indices[0] + batch.sampleCount, dataset.count)
  }
  let labelled = reference == nil ? [] : metrics.filter(\.needsLabels)
  return Evaluation(
    sampleCount: dataset.count,
    values: Dictionary(metrics.map { ($0, own.value(of: $0)) }, uniquingKeysWith: { $1 }),
    referenceValues: Dictionary(
      labelled.map { ($0, other.value(of: $0)) }, uniquingKeysWith: { $1 }),
    nonFiniteCount: own.errors.nonFiniteCount, warning: own.errors.nonFiniteWarning(of: name))
}

private func outputName(_ given: String?, of executable: any Executable) throws -> String {
  let names = executable.graph.outputs.map(\.name)
  let list = names.map { "'\($0)'" }.joined(separator: ", ")
  if let given, !names.contains(given) {
    throw EvaluationError(.mismatch, "there is no output '\(given)'; the network has \(list)")
  }
  guard let name = given ?? names.first else {
    throw EvaluationError(.mismatch, "the network has no outputs")
  }
  return name
}

/// The rows of an output that count: those that fill up a batch are left out.
private func samples(
  _ outputs: [String: Tensor], _ name: String, _ batch: Dataset.Batch
) throws -> Tensor {
  guard let output = outputs[name] else {
    throw EvaluationError(
      .mismatch, "the networks don't have the same outputs: one lacks '\(name)'")
  }
  guard batch.sampleCount < batch.indices.count, output.shape.rank > 0,
    output.shape[0] == batch.indices.count
  else { return output }
  return output.rows(0..<batch.sampleCount)
}

/// What is counted while batches go by.
private struct MetricCounters {
  private(set) var errors = ErrorStatistics()
  private var top1 = 0
  private var top5 = 0
  private var labelled = 0
  private var agreeing = 0
  private var compared = 0

  mutating func add(
    _ output: Tensor, labels: [Int]?, expected: Tensor?, _ metrics: [Metric]
  ) throws {
    if let expected {
      if metrics.contains(where: { $0.needsReference && $0 != .agreement }) {
        try errors.add(output, expected: expected)
      }
      if metrics.contains(.agreement) { try addAgreement(output, expected) }
    }
    guard let labels, metrics.contains(where: \.needsLabels) else { return }
    let scores = try ClassScores(output)
    for sample in 0..<output.shape[0] {
      let rank = try scores.rank(of: labels[sample], sample: sample) ?? .max
      labelled += 1
      if rank < 1 { top1 += 1 }
      if rank < 5 { top5 += 1 }
    }
  }

  private mutating func addAgreement(_ output: Tensor, _ expected: Tensor) throws {
    guard output.shape == expected.shape else {
      throw EvaluationError(.mismatch, "is \(output), the other network's is \(expected)")
    }
    let (own, other) = (try ClassScores(output), try ClassScores(expected))
    for sample in 0..<output.shape[0] {
      for position in 0..<own.positionCount {
        compared += 1
        if own.best(sample, position) == other.best(sample, position) { agreeing += 1 }
      }
    }
  }

  func value(of metric: Metric) -> Double {
    if errors.nonFiniteCount > 0, metric.needsReference, metric != .agreement { return .nan }
    return switch metric {
    case .top1: Double(top1) / Double(labelled)
    case .top5: Double(top5) / Double(labelled)
    case .sqnr: errors.sqnr
    case .cosine: errors.cosine
    case .meanError: errors.meanError
    case .maxError: errors.maxError
    case .agreement: Double(agreeing) / Double(compared)
    }
  }
}
