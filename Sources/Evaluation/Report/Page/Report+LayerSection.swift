import Datasets

extension Report {
  /// How many layers are drawn; the table has all of them.
  private static let drawnLayerCount = 24

  /// Gains below are losses, also when they are rounded to hundredths.
  private static let leastShownGain = -0.005

  /// Where accuracy is lost: the noisiest layers, the course along the network, and what keeping layers in float brings.
  var layerSection: Markup {
    guard let comparison else { return "" }
    let note: Markup = comparison.alignmentNote.map { "<p>\($0).</p>" } ?? ""
    return """
      <h2>Where accuracy is lost</h2>
      <p>The quantized network's values against the float network's, on \(counted(comparison.sampleCount, "sample")).</p>\(note)
      <div class="grid split">\(noisiestCard(comparison))
      <div>\(courseCard(comparison))\(adviceCard)</div></div>
      """
  }

  private func noisiestCard(_ comparison: NetworkComparison) -> Markup {
    let ranked = Array(comparison.ranked.prefix(Self.drawnLayerCount))
    guard !ranked.isEmpty else { return "" }
    let span = Charts.span(of: ranked)
    let rest = comparison.ranked.count - ranked.count
    let more = rest > 0 ? " \(rest) more in the table below." : ""
    return card(
      "Error by layer, the most damaged first",
      """
      <div class="key"><span><i class="after"></i>SQNR of the layer alone</span>\
      <span><i class="marked"></i>below 30 dB</span><span><i class="severe"></i>below 20 dB</span>\
      <span><i class="faint"></i>accumulated from the input up to it</span></div>
      <p>Longer is worse: a bar is full at \(fixed(span.lowerBound, 0)) dB, empty at \
      \(fixed(span.upperBound, 0)) dB.\(more)</p>
      <div class="columns">\(Charts.layers(ranked))</div>
      """)
  }

  private func courseCard(_ comparison: NetworkComparison) -> Markup {
    let course = Charts.course(comparison.layers)
    guard !course.text.isEmpty else { return "" }
    return card(
      "SQNR along the network",
      """
      <div class="key"><span><i class="before"></i>line: accumulated</span>\
      <span><i class="after"></i>dots: each layer alone</span></div>
      <p>Higher is better. A fall of the line without a low dot is noise from before that this layer brings out.</p>
      \(course)
      """)
  }

  private var adviceCard: Markup {
    guard let floatLayers else { return "" }
    func row(_ advice: KeepFloatAdvice) -> Markup {
      """
      <tr><td class="name">\(advice.nodes.joined(separator: ", "))</td>\
      <td class="number">\(fixed(advice.growth * 100, 1).signed) %<small>\(bytes(advice.addedByteCount).signed)\
      </small></td><td class="number">\(fixed(advice.gain, 2).signed) dB<small>\(fixed(advice.sqnr, 1)) dB</small></td></tr>
      """
    }
    let single = floatLayers.single.filter { $0.gain > Self.leastShownGain }.prefix(5).map(row)
    let joint = floatLayers.advice.filter { $0.nodes.count > 1 }.map(row)
    let together: Markup =
      joint.isEmpty ? "" : "<tr><th>together</th><th></th><th></th></tr>\(Markup(joint))"
    let table: Markup = """
      <div class="scroll"><table><tr><th>layer</th><th class="number">size</th>\
      <th class="number">SQNR</th></tr>\(Markup(single))\(together)</table></div>
      """
    return card(
      "What keeping layers in float would bring",
      """
      <p>\(adviceText(floatLayers))</p>
      \(single.isEmpty ? "" : table)
      """)
  }

  private func adviceText(_ floatLayers: FloatLayers) -> Markup {
    let summary = "\(floatLayers.summary.prefix(1).uppercased())\(floatLayers.summary.dropFirst())."
    guard let best = floatLayers.advice.last else { return "\(summary)" }
    return "\(summary) In a recipe: <code>keepFloat: [\(best.nodes.joined(separator: ", "))]</code>"
  }
}
