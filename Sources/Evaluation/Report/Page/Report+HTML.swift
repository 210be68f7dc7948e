import Datasets

extension Report {
  /// The report as one page of HTML with charts, which loads nothing else and reads on a phone as on a wide screen.
  ///
  /// In the order in which one decides: whether limits are met and by how much, where accuracy is lost and what would help, how
  /// numbers are spread, then everything as tables.
  public var html: String {
    page(
      title,
      """
      \(heading)
      <div class="grid measures">\(measureCards)</div>
      \(layerSection)
      \(histogramSection)
      \(detailSection)
      <footer>Written by Tessera. 1 MB is 1,000,000 bytes. SQNR is 10 log₁₀ of signal energy over the energy of the \
      error: 20 dB is an error of a tenth of the signal, 40 dB of a hundredth.</footer>
      """)
  }

  private var heading: Markup {
    let samples = sampleCount.map { " · measured on \(counted($0, "sample"))" } ?? ""
    return """
      <h1>\(title)</h1>
      <p>\(float.name) → \(quantized.name)\(samples)</p>
      \(thresholdVerdict(thresholds))
      \(Markup(warnings.map { "<div class=\"verdict bad\">Warning: \($0)</div>" }))
      """
  }

  // MARK: - What it cost and gained

  /// One card a measure: the change in large type, the limit, and a bar for either network.
  private var measureCards: Markup {
    Markup(
      [
        sizeCard, latencyCard, accuracyCard, outputCard,
        measure(
          "Peak memory", peakChange, nil,
          [float, quantized].map { $0.peakMemory.map(Double.init) },
          text: { bytes(Int($0)) }),
      ].compactMap { $0 })
  }

  private var sizeCard: Markup? {
    measure(
      "File size", sizeShare.map { change(1 / $0, "smaller", "larger") }, "max-size",
      [float, quantized].map { $0.byteCount.map(Double.init) },
      limit: limits.maxSize.flatMap { limit in float.byteCount.map { Double($0) * limit } }
    ) { bytes(Int($0)) }
  }

  private var latencyCard: Markup? {
    measure(
      "Latency, median", speedup.map { change($0, "faster", "slower") },
      "min-speedup", [float, quantized].map { $0.latency?.median },
      limit: limits.minSpeedup.flatMap { limit in float.latency.map { $0.median / limit } },
      text: duration(milliseconds:))
  }

  private var accuracyCard: Markup? {
    return measure(
      "Top-1 accuracy",
      drop.map { ("\($0 > 0 ? "−" : "+")\(fixed(abs($0) * 100, 2))", "points") }, "max-drop",
      [float, quantized].map { $0.metrics[.top1] },
      limit: limits.maxDrop.flatMap { drop in float.metrics[.top1].map { $0 - drop } }, full: 1,
      note: accuracyNote, text: Metric.top1.formatted)
  }

  /// How much the number of samples lets one say: the normal approximation of the binomial's 95 % interval.
  private var accuracyNote: String? {
    guard let count = sampleCount, let drop, let accuracyInterval else {
      return nil
    }
    let changed = Int((drop * Double(count)).magnitude.rounded())
    return
      "a difference of \(changed) of \(counted(count, "sample")); each figure ±\(fixed(accuracyInterval * 100, 1)) points (95 %)"
  }

  /// The outputs against the float network's, which has no bars.
  private var outputCard: Markup? {
    guard let sqnr else { return nil }
    let agreement: Markup =
      quantized.metrics[.agreement].map {
        "<small>the same prediction for \(fixed($0 * 100, 2)) %</small>"
      } ?? ""
    let cosine: Markup =
      quantized.metrics[.cosine].map { "<small>cosine \(fixed($0, 6))</small>" } ?? ""
    return """
      <section class="card"><h3>Outputs against float</h3><span class="big">\(decibels(sqnr)) \
      <em>SQNR</em></span>\(limitLine("min-sqnr"))\(agreement)\(cosine)</section>
      """
  }

  private var peakChange: (String, String)? {
    guard let before = float.peakMemory, let after = quantized.peakMemory, after > 0 else {
      return nil
    }
    return change(Double(before) / Double(after), "less", "more")
  }

  private func change(_ ratio: Double, _ better: String, _ worse: String) -> (String, String) {
    ratio >= 1 ? ("\(fixed(ratio, 2))×", better) : ("\(fixed(1 / ratio, 2))×", worse)
  }

  private func measure(
    _ title: String, _ change: (value: String, name: String)?, _ threshold: String?,
    _ values: [Double?], limit: Double? = nil, full: Double? = nil, note: String? = nil,
    text: (Double) -> String
  ) -> Markup? {
    guard let most = values.compactMap({ $0 }).max() else { return nil }
    // The mark is inside of the chart as well.
    let full = full ?? max(most, limit ?? 0, .leastNormalMagnitude)
    let bars = zip([float.name, quantized.name], zip(values, ["before", "after"])).map {
      Charts.Bar(
        name: $0, share: $1.0.map { $0 / full }, text: $1.0.map(text) ?? "not measured",
        style: $1.1)
    }
    let big: Markup =
      change.map { "<span class=\"big\">\($0.value) <em>\($0.name)</em></span>" } ?? ""
    return """
      <section class="card"><h3>\(title)</h3>\(big)\(threshold.map(limitLine) ?? "")
      \(Charts.bars(bars, limit: limit.map { $0 / full }))<small>\(note ?? "")</small></section>
      """
  }

  private func limitLine(_ name: String) -> Markup {
    guard let result = thresholds.first(where: { $0.name == name }) else { return "" }
    // A drop has the other sign than the change above it.
    let text =
      name == "max-drop"
      ? "\(result.limit) allowed" : "\(result.measured), \(result.limit)"
    return result.isMet
      ? "<p class=\"limit good\">✓ \(text)</p>" : "<p class=\"limit bad\">✗ \(text)</p>"
  }
}
