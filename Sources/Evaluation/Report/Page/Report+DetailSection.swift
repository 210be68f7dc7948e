extension Report {
  /// How weights and activations are spread, layer by layer.
  var histogramSection: Markup {
    guard !histograms.isEmpty else { return "" }
    var nodes: [String] = []
    for histogram in histograms where nodes.last != histogram.node { nodes.append(histogram.node) }
    let cards = nodes.map { node in
      let alone = comparison?.layers.first { $0.node == node }?.isolated?.sqnr
      let pairs = histograms.filter { $0.node == node }.map(histogramChart)
      return card(
        node.isEmpty ? histograms[0].name : node,
        """
        <p>\(alone.map { "alone \(decibels($0))" } ?? "")</p><div class="pair">\(Markup(pairs))</div>
        """)
    }
    return """
      <h2>How numbers are spread</h2>
      <p>Weights and activations of the most damaged layers. Heights are square roots of counts, so that rare numbers \
      show; a column that fills the height may be higher. Empty columns below the axis are numbers that codes are too coarse to tell apart.</p>
      <div class="key"><span><i class="before"></i>above: float</span>\
      <span><i class="after"></i>below: quantized</span>\
      <span><i class="line"></i>where codes end</span></div>
      <div class="grid">\(Markup(cards))</div>
      """
  }

  private func histogramChart(_ histogram: ValueHistogram) -> Markup {
    var facts: [String] = []
    if let range = histogram.codeRange, let step = histogram.step {
      facts.append(
        "codes \(Charts.number(range.lowerBound)) … \(Charts.number(range.upperBound)), "
          + "step \(Charts.number(step))")
    } else {
      facts.append("a scale for each channel or group")
    }
    if let clipped = histogram.clippedShare {
      facts.append(clipped == 0 ? "nothing clipped" : "\(significant(clipped * 100, 2)) % clipped")
    }
    return """
      <div><small>\(histogram.kind.rawValue): \(facts.joined(separator: "; "))</small>
      \(Charts.histogram(histogram))</div>
      """
  }

  /// Everything as tables.
  var detailSection: Markup {
    let cards = Markup([figuresCard, factsCard].compactMap { $0 })
    return """
      <h2>Details</h2>
      <div class="grid">\(cards)</div>
      \(planCard)\(layerTableCard)
      """
  }

  private var figuresCard: Markup? {
    guard !rows.isEmpty else { return nil }
    let body = Markup(
      rows.map {
        """
        <tr><td>\($0.name)</td><td class="number">\($0.float)</td>\
        <td class="number">\($0.quantized)<small>\($0.change)</small></td></tr>
        """
      })
    return card(
      "Figures",
      """
      <div class="scroll"><table><tr><th></th><th class="number">\(float.name)</th>\
      <th class="number">\(quantized.name)</th></tr>
      \(body)</table></div>
      """)
  }

  private var factsCard: Markup? {
    guard !facts.isEmpty else { return nil }
    return card(
      "How it was made",
      "<dl>\(Markup(facts.map { "<dt>\($0.name)</dt><dd>\($0.text)</dd>" }))</dl>")
  }

  private var planCard: Markup {
    guard !plan.isEmpty || !planSummary.isEmpty else { return "" }
    let body = Markup(
      plan.map { row in
        """
        <tr><td>\(row.node)</td><td>\(row.operation)</td><td>\(row.treatment)</td>\
        <td>\(row.weights)</td><td>\(row.activations)</td><td class="note">\(row.note)</td></tr>
        """
      })
    let table: Markup = """
      <details><summary>\(plan.count) nodes</summary>
      <div class="scroll"><table class="wide"><tr><th>node</th><th>operator</th><th>treatment</th>\
      <th>weights</th><th>activations</th><th>note</th></tr>\(body)</table></div></details>
      """
    let legend: Markup = planLegend.isEmpty ? "" : "<small>\(planLegend)</small>"
    return card(
      "Plan", "<p>\(planSummary)</p>\(legend)\(weightTable)\(plan.isEmpty ? "" : table)")
  }

  /// How much of the weights became codes, and the largest that stayed float.
  private var weightTable: Markup {
    guard let weights else { return "" }
    let body = Markup(
      weights.rows.map { row in
        """
        <tr><td>\(row[0])</td><td class="number">\(row[1])</td><td>\(row[2])</td>\
        <td class="note">\(row[3])</td></tr>
        """
      })
    let table: Markup = """
      <div class="scroll"><table><tr><th>stays float</th><th class="number">bytes</th>\
      <th>read by</th><th>why</th></tr>\(body)</table></div>
      """
    return "<p>\(weights.summary)</p>\(weights.float.isEmpty ? "" : table)"
  }

  private var layerTableCard: Markup {
    guard let comparison, !comparison.layers.isEmpty else { return "" }
    let body = Markup(
      comparison.layers.map { layer in
        """
        <tr><td>\(layer.label)</td><td>\(layer.operation)</td>\
        <td class="number">\(layer.isolated.map { decibels($0.sqnr) } ?? "–")</td>\
        <td class="number">\(decibels(layer.accumulated.sqnr))</td>\
        <td class="number">\(fixed(layer.accumulated.cosine, 6))</td>\
        <td class="number">\(significant(layer.accumulated.maxError, 3))</td></tr>
        """
      })
    return card(
      "All layers",
      """
      <details><summary>\(comparison.layers.count) values in the order of the network</summary>
      <div class="scroll"><table class="wide"><tr><th>layer</th><th>operator</th>\
      <th class="number">alone</th><th class="number">accumulated</th><th class="number">cosine</th>\
      <th class="number">largest error</th></tr>\(body)</table></div></details>
      """)
  }
}
