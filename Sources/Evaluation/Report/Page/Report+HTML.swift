extension Report {
  /// The report as one page of HTML with charts, which loads nothing else and reads on a phone as on a wide screen.
  public var html: String {
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title) – Tessera report</title>
      <style>
      \(Markup(stringLiteral: PageStyle.css))
      </style>
      </head>
      <body><main>
      \(heading)
      <div class="grid tiles">\(tiles)</div>
      <div class="flow">
      \(thresholdsCard)
      \(barCards)
      \(figuresCard)
      \(layerCards)
      \(histogramCards)
      </div>
      <div class="below">\(planCard)\(layerTableCard)</div>
      <footer>Written by Tessera. Sizes: 1 MB is 1,000,000 bytes. Noise of layers is on a scale of decibels.</footer>
      </main></body>
      </html>

      """
    return page.text
  }

  private var heading: Markup {
    let verdict: Markup =
      thresholds.isEmpty
      ? ""
      : isMet
        ? "<span class=\"verdict good\">✓ all thresholds met</span>"
        : "<span class=\"verdict bad\">✗ a threshold is missed</span>"
    let items = Markup(facts.map { "<li>\($0.name): \($0.text)</li>" })
    let details: Markup =
      facts.isEmpty ? "" : "<details><summary>How it was made</summary><ul>\(items)</ul></details>"
    return """
      <h1>\(title)</h1>
      <p>\(float.name) → \(quantized.name)</p>
      \(verdict)
      \(details)
      """
  }

  private func card(_ title: String, isWhole: Bool = false, _ body: Markup) -> Markup {
    """
    <section class="card\(isWhole ? " whole" : "")"><h2>\(title)</h2>
    \(body)</section>
    """
  }

  private var tiles: Markup {
    func tile(_ value: String, _ name: String) -> Markup {
      "<div class=\"card tile\"><b>\(value)</b><span>\(name)</span></div>"
    }
    return Markup(
      [
        sizeShare.map { tile("\(fixed(1 / $0, 2))×", "smaller") },
        speedup.map { tile("\(fixed($0, 2))×", $0 < 1 ? "the speed: slower" : "faster") },
        drop.map {
          tile("\($0 > 0 ? "−" : "+")\(fixed(abs($0) * 100, 2))", "points of top-1 accuracy")
        },
        sqnr.map { tile(decibels($0), "SQNR of the outputs") },
        quantized.metrics[.agreement].map {
          tile("\(fixed($0 * 100, 1)) %", "the same prediction")
        },
      ].compactMap { $0 })
  }

  // MARK: - Figures

  private var barCards: Markup {
    func bars<Value>(
      _ title: String, _ value: (Network) -> Value?, _ number: (Value) -> Double,
      limit: Double?, isShare: Bool = false, _ text: (Value) -> String
    ) -> Markup? {
      let values = [float, quantized].map { ($0.name, value($0)) }
      let numbers = values.compactMap { $0.1.map(number) }
      guard let most = numbers.max() else { return nil }
      // The mark is inside of the chart as well.
      let full = isShare ? 1 : max(max(most, limit ?? 0), .leastNormalMagnitude)
      let chart = Charts.bars(
        zip(values, ["before", "after"]).map { value, style in
          Charts.Bar(
            name: value.0, share: value.1.map { number($0) / full },
            text: value.1.map(text) ?? "not measured", style: style)
        }, limit: limit.map { $0 / full }, label: title)
      let key: Markup =
        limit == nil ? "" : "<div class=\"key\"><span><i class=\"km\"></i>threshold</span></div>"
      return card(title, "\(key)\(chart)")
    }
    let least = limits.minSpeedup.flatMap { limit in float.latency.map { $0.median / limit } }
    return Markup(
      [
        bars(
          "File size", \.byteCount, { Double($0) },
          limit: limits.maxSize.flatMap { limit in float.byteCount.map { Double($0) * limit } },
          bytes),
        bars("Latency (median)", \.latency, { $0.median }, limit: least) {
          milliseconds($0.median)
        },
        bars(
          "Top-1 accuracy", { $0.metrics[.top1] }, { $0 },
          limit: limits.maxDrop.flatMap { drop in float.metrics[.top1].map { $0 - drop } },
          isShare: true, Metric.top1.formatted),
        bars("Peak memory", \.peakMemory, { Double($0) }, limit: nil, bytes),
      ].compactMap { $0 })
  }

  private var figuresCard: Markup {
    let body = Markup(
      rows.map {
        """
        <tr><td>\($0.name)</td><td class="number">\($0.float)</td>\
        <td class="number">\($0.quantized)<small>\($0.change)</small></td></tr>
        """
      })
    let samples: Markup = sampleCount.map { "<p>measured on \($0) samples</p>" } ?? ""
    return card(
      "Figures",
      """
      \(samples)<div class="scroll"><table><tr><th></th><th class="number">\(float.name)</th>\
      <th class="number">\(quantized.name)</th></tr>
      \(body)</table></div>
      """)
  }

  private var thresholdsCard: Markup {
    guard !thresholds.isEmpty else { return "" }
    let body = Markup(
      thresholds.map { result in
        let mark: Markup =
          result.isMet ? "<b class=\"good\">✓ met</b>" : "<b class=\"bad\">✗ missed</b>"
        return """
          <tr><td>\(result.name)<small>\(result.limit)</small></td>\
          <td class="number">\(mark)<small>\(result.measured)</small></td></tr>
          """
      })
    return card(
      "Thresholds",
      """
      <table>\(body)</table>
      """)
  }

  // MARK: - Layers

  /// How many layers are drawn; the table has all of them.
  private static let drawnLayerCount = 24

  private var layerCards: Markup {
    guard let comparison else { return "" }
    let ranked = Array(comparison.ranked.prefix(Self.drawnLayerCount))
    var cards: [Markup] = []
    if !ranked.isEmpty {
      cards.append(
        card(
          "Error by layer",
          """
          <p>The noisiest layers first. A bar is full at 0 dB and empty at 60 dB.</p>
          <div class="key"><span><i class="ka"></i>the layer alone</span>\
          <span><i class="kf"></i>accumulated up to it</span></div>
          \(Charts.layers(ranked))
          """))
    }
    let items = Markup(advice.map { "<li>\($0.description)</li>" })
    let advice: Markup = self.advice.isEmpty ? "" : "<h2>Advice</h2><ul>\(items)</ul>"
    cards.append(
      card(
        "Error along the network",
        """
        <p>SQNR of each value against the float network, on \(comparison.sampleCount) samples. \
        Higher is better.</p>
        \(Charts.course(comparison.layers))
        \(advice)
        """))
    return Markup(cards)
  }

  private var layerTableCard: Markup {
    guard let comparison, !comparison.layers.isEmpty else { return "" }
    let body = Markup(
      comparison.layers.map { layer in
        """
        <tr><td class="name">\(layer.node)</td><td>\(layer.operation)</td>\
        <td class="number">\(layer.isolated.map { decibels($0.sqnr) } ?? "–")</td>\
        <td class="number">\(decibels(layer.accumulated.sqnr))</td>\
        <td class="number">\(fixed(layer.accumulated.cosine, 6))</td>\
        <td class="number">\(significant(layer.accumulated.maxError, 3))</td></tr>
        """
      })
    return card(
      "All layers", isWhole: true,
      """
      <details><summary>\(comparison.layers.count) values in the order of the network</summary>
      <div class="scroll"><table><tr><th>layer</th><th>operator</th><th class="number">alone</th>\
      <th class="number">accumulated</th><th class="number">cosine</th>\
      <th class="number">largest error</th></tr>\(body)</table></div></details>
      """)
  }

  private var histogramCards: Markup {
    Markup(
      histograms.map { histogram in
        """
        <section class="card"><h3>\(histogram.name)</h3>
        <div class="key"><span>\(histogram.kind.rawValue)</span>\
        <span><i class="kb"></i>before</span><span><i class="ka"></i>after</span></div>
        \(Charts.histogram(histogram))</section>
        """
      })
  }

  private var planCard: Markup {
    guard !plan.isEmpty || !planSummary.isEmpty else { return "" }
    let body = Markup(
      plan.map { row in
        """
        <tr><td class="name">\(row.node)</td><td>\(row.operation)</td><td>\(row.treatment)</td>\
        <td>\(row.weights)</td><td>\(row.activations)</td><td>\(row.note)</td></tr>
        """
      })
    let table: Markup = """
      <details><summary>\(plan.count) nodes</summary>
      <div class="scroll"><table><tr><th>node</th><th>operator</th><th>treatment</th>\
      <th>weights</th><th>activations</th><th>note</th></tr>\(body)</table></div></details>
      """
    return card("Plan", isWhole: true, "<p>\(planSummary)</p>\(plan.isEmpty ? "" : table)")
  }
}
