import Datasets

extension Report {
  /// The report for a terminal of the given width, without the plan's rows.
  ///
  /// - Parameters:
  ///   - width: the cells of a line; names are shortened to fit.
  ///   - layerCount: how many layers are listed, the noisiest first.
  public func text(width: Int = 100, layerCount: Int = 10) -> String {
    var parts = [title, figures(width)]
    if !facts.isEmpty {
      parts.append(facts.map { "\($0.name): \($0.text)" }.joined(separator: "\n"))
    }
    if !warnings.isEmpty {
      parts.append(warnings.map { "warning: \($0)" }.joined(separator: "\n"))
    }
    if !planSummary.isEmpty {
      parts.append("plan: \(planSummary)" + (planLegend.isEmpty ? "" : "\n  \(planLegend)"))
    }
    if let weights { parts.append("weights: " + weights.text(width: width)) }
    if let comparison { parts.append(layers(comparison, width, layerCount)) }
    if let note = comparison?.alignmentNote { parts.append("note: " + note) }
    if let floatLayers {
      let lines = floatLayers.advice.map(\.description) + [floatLayers.summary]
      parts.append("advice\n" + lines.map { "  \($0)" }.joined(separator: "\n"))
    }
    if !thresholds.isEmpty {
      parts.append("thresholds\n" + thresholds.map { "  \($0)" }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private func figures(_ width: Int) -> String {
    var table = TextTable(
      ("", .left), (float.name, .right), (quantized.name, .right), ("change", .right))
    for row in rows { table.add(row.name, row.float, row.quantized, row.change) }
    return table.text(width: width)
  }

  private func outputs(_ comparison: NetworkComparison, _ width: Int) -> String {
    var table = TextTable(
      ("output", .left), ("SQNR", .right), ("cosine", .right), ("largest error", .right))
    for (name, error) in comparison.outputs where error.count > 0 {
      table.add(
        name, decibels(error.sqnr), fixed(error.cosine, 6), significant(error.maxError, 3))
    }
    return table.text(width: width)
  }

  private func layers(_ comparison: NetworkComparison, _ width: Int, _ count: Int) -> String {
    var table = TextTable(
      ("layer", .left), ("operator", .left), ("alone", .right), ("accumulated", .right),
      ("cosine", .right), ("largest error", .right))
    let ranked = comparison.ranked
    for layer in ranked.prefix(count) {
      table.add(
        layer.label, layer.operation, decibels(layer.isolated?.sqnr ?? .nan),
        decibels(layer.accumulated.sqnr), fixed(layer.accumulated.cosine, 6),
        significant(layer.accumulated.maxError, 3))
    }
    guard !ranked.isEmpty else {
      return outputs(comparison, width) + "\n\nno layer is quantized: there is nothing to rank"
    }
    let rest = ranked.count - min(ranked.count, count)
    return outputs(comparison, width)
      + "\n\nlayers by their own noise, on \(counted(comparison.sampleCount, "sample"))\n"
      + "  alone: only this layer is quantized; accumulated: all up to it are, as in the network\n"
      + table.text(width: width) + (rest > 0 ? "\n… and \(rest) more" : "")
  }
}

extension Report {
  /// One figure of both networks, as text; `–` where it was not measured.
  struct Row {
    let name: String
    let float: String
    let quantized: String
    /// How the two compare; may be empty.
    let change: String
  }

  /// All figures that were measured of one network at least.
  var rows: [Row] {
    func row<Value>(
      _ name: String, _ value: (Network) -> Value?, change: String = "", _ text: (Value) -> String
    ) -> Row? {
      let (before, after) = (value(float), value(quantized))
      guard before != nil || after != nil else { return nil }
      return Row(
        name: name, float: before.map(text) ?? "–", quantized: after.map(text) ?? "–",
        change: change)
    }
    let metrics = Metric.allCases.map { metric in
      row(metric.title, { $0.metrics[metric] }, change: change(of: metric), metric.formatted)
    }
    let others = [
      row(
        "file size", \.byteCount, change: sizeShare.map { "\(fixed($0 * 100, 1)) %" } ?? "", bytes),
      row("compression ratio", { _ in sizeShare }, change: "") { "\(fixed(1 / $0, 2))×" }
        .map { Row(name: $0.name, float: "1.00×", quantized: $0.quantized, change: "") },
      row("nodes", \.nodeCount) { "\($0)" },
      row("parameters", \.parameterCount) { "\($0)" },
      row(
        "latency, median", \.latency?.median, change: speedup.map { "\(fixed($0, 2))×" } ?? "",
        duration(milliseconds:)),
      row("latency, 95 %", \.latency?.percentile95, duration(milliseconds:)),
      row("latency, least", \.latency?.minimum, duration(milliseconds:)),
      row("latency, spread", \.latency?.spread) { "\(fixed($0 * 100, 1)) %" },
      row("runs (warm-up)", \.latency) { "\($0.runCount) (\($0.warmUpCount))" },
      row("threads", \.latency?.threadCount) { "\($0)" },
      row("peak memory", \.peakMemory, bytes),
    ]
    return (metrics + others).compactMap { $0 }
  }

  private func change(of metric: Metric) -> String {
    guard metric.needsLabels, let before = float.metrics[metric],
      let after = quantized.metrics[metric]
    else { return "" }
    let points = (after - before) * 100
    return "\(points >= 0 ? "+" : "−")\(fixed(abs(points), 2)) points"
  }
}
