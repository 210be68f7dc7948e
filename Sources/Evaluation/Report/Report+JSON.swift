import Tensors

extension Report {
  /// The version of what the JSON means; changes when a key's meaning does.
  public static let schema = "tessera.report/1"

  /// The report as JSON; units stand in the keys, sizes are in bytes and shares from 0 to 1.
  public var json: String {
    JSON.members([
      "schema": .string(Self.schema), "title": .string(title),
      "float": Self.json(float), "quantized": Self.json(quantized),
      "size_ratio": sizeShare.map(JSON.number), "speedup": speedup.map(JSON.number),
      "top1_drop": drop.map(JSON.number), "sample_count": sampleCount.map(JSON.int),
      "facts": .object(facts.map { .init(key: $0.name, value: .string($0.text)) }),
      "warnings": .array(warnings.map(JSON.string)),
      "weights": weights.map(Self.json), "plan_summary": .string(planSummary),
      "plan": .array(plan.map(Self.json)),
      "outputs": comparison.map { comparison in
        .array(comparison.outputs.map { Self.json($0.error, ["name": .string($0.name)]) })
      },
      "layers": comparison.map { .array($0.layers.map(Self.json)) },
      "aligned_layers": comparison.map { .array($0.alignedLayers.map(JSON.string)) },
      "advice": floatLayers.map { .array($0.advice.map(Self.json)) },
      "single_float_layers": floatLayers.map { .array($0.single.map(Self.json)) },
      "histograms": .array(histograms.map(Self.json)),
      "thresholds": .array(thresholds.map(\.json)), "thresholds_met": .bool(isMet),
    ]).text
  }

  private static func json(_ network: Network) -> JSON {
    .members([
      "name": .string(network.name), "file": network.file.map(JSON.string),
      "size_bytes": network.byteCount.map(JSON.int), "node_count": network.nodeCount.map(JSON.int),
      "parameter_count": network.parameterCount.map(JSON.int),
      "latency": network.latency.map(json), "peak_memory_bytes": network.peakMemory.map(JSON.int),
      "metrics": .object(
        Metric.allCases.compactMap { metric in
          network.metrics[metric].map { .init(key: metric.key, value: .number($0)) }
        }),
    ])
  }

  private static func json(_ latency: Latency) -> JSON {
    .members([
      "median_ms": .number(latency.median), "p95_ms": .number(latency.percentile95),
      "min_ms": .number(latency.minimum), "spread": .number(latency.spread),
      "run_count": .int(latency.runCount),
      "warm_up_count": .int(latency.warmUpCount), "thread_count": .int(latency.threadCount),
    ])
  }

  private static func json(_ row: PlanRow) -> JSON {
    .members([
      "node": .string(row.node), "operator": .string(row.operation),
      "treatment": .string(row.treatment), "weights": .string(row.weights),
      "activations": .string(row.activations), "note": .string(row.note),
    ])
  }

  private static func json(_ weights: WeightShare) -> JSON {
    .members([
      "size_bytes": .int(weights.total), "codes_ratio": .number(weights.codes),
      "float": .array(
        weights.float.map { weight in
          .members([
            "name": .string(weight.name), "node": .string(weight.node),
            "operator": .string(weight.operation), "size_bytes": .int(weight.byteCount),
            "reason": .string(weight.reason),
          ])
        }),
    ])
  }

  private static func json(_ layer: LayerError) -> JSON {
    .members([
      "node": .string(layer.node), "operator": .string(layer.operation),
      "value": .string(layer.value), "accumulated": json(layer.accumulated, [:]),
      "isolated": layer.isolated.map { json($0, [:]) },
      "float_size_bytes": .int(layer.floatByteCount),
      "quantized_size_bytes": .int(layer.quantizedByteCount),
    ])
  }

  /// An exact value has no SQNR that JSON could hold: `is_exact` tells it from one that is unknown.
  private static func json(_ error: ErrorStatistics, _ name: KeyValuePairs<String, JSON?>) -> JSON {
    let figures = JSON.members([
      "sqnr_db": .number(error.sqnr), "is_exact": .bool(error.noiseEnergy == 0),
      "cosine": .number(error.cosine), "mean_error": .number(error.meanError),
      "max_error": .number(error.maxError), "non_finite_count": .int(error.nonFiniteCount),
    ])
    guard case .object(let own) = JSON.members(name), case .object(let rest) = figures else {
      return figures
    }
    return .object(own + rest)
  }

  private static func json(_ advice: KeepFloatAdvice) -> JSON {
    .members([
      "keep_float": .array(advice.nodes.map(JSON.string)),
      "size_increase_bytes": .int(advice.addedByteCount),
      "size_increase_ratio": .number(advice.growth), "sqnr_db": .number(advice.sqnr),
      "sqnr_gain_db": .number(advice.gain),
    ])
  }

  private static func json(_ histogram: ValueHistogram) -> JSON {
    .members([
      "name": .string(histogram.name), "kind": .string(histogram.kind.rawValue),
      "node": .string(histogram.node), "low": .number(histogram.before.edges[0]),
      "high": .number(histogram.before.edges[histogram.before.counts.count]),
      "code_low": histogram.codeRange.map { .number($0.lowerBound) },
      "code_high": histogram.codeRange.map { .number($0.upperBound) },
      "step": histogram.step.map(JSON.number),
      "clipped_share": histogram.clippedShare.map(JSON.number),
      "counts_before": .array(histogram.before.counts.map(JSON.int)),
      "counts_after": .array(histogram.after.counts.map(JSON.int)),
    ])
  }

  /// Writes the report as JSON. Throws ``FileError``.
  public func writeJSON(to path: String) throws { try writeFile(json, to: path) }

  /// Writes the report as one page that needs nothing else. Throws ``FileError``.
  public func writeHTML(to path: String) throws { try writeFile(html, to: path) }
}
