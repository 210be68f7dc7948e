import Foundation

/// Charts as SVG. Lengths along x are percentages, so that text keeps its size whatever the width of the page.
enum Charts {
  /// One bar of a ``bars(_:limit:label:)`` chart.
  struct Bar {
    let name: String
    /// From 0 to 1, nil where it was not measured.
    let share: Double?
    let text: String
    let style: String
  }

  /// Horizontal bars with name and value above each, and a mark at a limit.
  static func bars(_ bars: [Bar], limit: Double? = nil, label: String) -> Markup {
    var rows: [Markup] = []
    let height = 42
    for (index, bar) in bars.enumerated() {
      let top = index * height
      rows.append(
        """
        <text x="0" y="\(top + 13)">\(bar.name)</text>\
        <text x="100%" y="\(top + 13)" text-anchor="end">\(bar.text)</text>\
        <rect class="track" x="0" y="\(top + 19)" width="100%" height="12" rx="3"/>
        """)
      if let share = bar.share {
        rows.append(
          """
          <rect class="\(bar.style)" x="0" y="\(top + 19)" width="\(percent(share))" height="12" \
          rx="3"/>
          """)
      }
      if let place = limit.map(percent) {
        rows.append(
          """
          <line class="mark" x1="\(place)" x2="\(place)" y1="\(top + 17)" y2="\(top + 33)"/>
          """)
      }
    }
    return svg(height: bars.count * height - 6, label, rows)
  }

  /// Two bars a layer: its own noise, and behind it what has accumulated; both relative to the signal, in decibels.
  static func layers(_ layers: [LayerError]) -> Markup {
    // Noise is small where SQNR is large: bars are long where much is lost, full at 0 dB.
    func share(_ error: ErrorStatistics) -> Double {
      error.noiseEnergy == 0 ? 0 : min(max(1 - error.sqnr / 60, 0.005), 1)
    }
    let height = 38
    var rows: [Markup] = []
    for (index, layer) in layers.enumerated() {
      guard let isolated = layer.isolated else { continue }
      let top = index * height
      rows.append(
        """
        <text x="0" y="\(top + 13)">\(tail(of: layer.node))</text>\
        <text x="100%" y="\(top + 13)" text-anchor="end">\(fixed(isolated.sqnr, 1)) \
        <tspan class="soft">/ \(fixed(layer.accumulated.sqnr, 1)) dB</tspan></text>\
        <rect class="track" x="0" y="\(top + 19)" width="100%" height="10" rx="2"/>\
        <rect class="faint" x="0" y="\(top + 19)" width="\(percent(share(layer.accumulated)))" \
        height="10" rx="2"/>\
        <rect class="after" x="0" y="\(top + 21)" width="\(percent(share(isolated)))" \
        height="6" rx="2"/>\
        <title>\(layer.node) (\(layer.operation))</title>
        """)
    }
    return svg(height: layers.count * height, "Error of each layer", rows)
  }

  /// The end of a name, which tells more than its beginning, as long as a phone has room for.
  private static func tail(of name: String) -> String {
    name.count <= 28 ? name : "…" + name.suffix(27)
  }

  /// The accumulated SQNR of each value in the order of the network.
  static func course(_ layers: [LayerError]) -> Markup {
    let values = layers.map(\.accumulated.sqnr)
    let finite = values.filter(\.isFinite)
    guard finite.count > 1, let top = finite.max(), let low = finite.min() else { return "" }
    let (high, bottom) = ((top / 10).rounded(.up) * 10, min(0, (low / 10).rounded(.down) * 10))
    func y(_ value: Double) -> Double {
      (1 - (min(max(value, bottom), high) - bottom) / max(high - bottom, 1)) * 160
    }
    let points = values.enumerated().filter { !$1.isNaN }.map { index, value in
      "\(fixed(Double(index) / Double(values.count - 1) * 1000, 1)),\(fixed(y(value), 1))"
    }.joined(separator: " ")
    var rows: [Markup] = []
    var names: [Markup] = []
    for level in stride(from: bottom, through: high, by: 10) {
      let place = fixed(y(level), 1)
      rows.append("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"\(place)\" y2=\"\(place)\"/>")
      names.append(
        "<text class=\"soft\" x=\"0\" y=\"\(fixed(y(level) - 3, 1))\">\(fixed(level, 0)) dB</text>")
    }
    rows.append(
      """
      <svg x="0" y="0" width="100%" height="160" viewBox="0 0 1000 160" preserveAspectRatio="none">\
      <polyline class="trace" points="\(points)"/></svg>\
      <text class="soft" x="0" y="178">input</text>\
      <text class="soft" x="100%" y="178" text-anchor="end">output</text>
      """)
    // Names stand over the line.
    rows += names
    return svg(height: 182, "Accumulated SQNR along the network", rows, top: 14)
  }

  /// The counts of two histograms, each relative to its highest bin, one above and one below an axis.
  static func histogram(_ histogram: ValueHistogram) -> Markup {
    let low = min(histogram.before.edges[0], histogram.after.edges[0])
    let high = max(histogram.before.edges.last!, histogram.after.edges.last!)
    let rows: [Markup] = [
      bins(histogram.before, low, high, style: "before", isUpward: true),
      bins(histogram.after, low, high, style: "after", isUpward: false),
      """
      <line class="axis" x1="0" x2="100%" y1="56" y2="56"/>\
      <text class="soft" x="0" y="126">\(significant(low, 3))</text>\
      <text class="soft" x="100%" y="126" text-anchor="end">\(significant(high, 3))</text>
      """,
    ]
    return svg(height: 130, "Histogram of \(histogram.name)", rows)
  }

  private static func bins(
    _ histogram: Histogram, _ low: Double, _ high: Double, style: String, isUpward: Bool
  ) -> Markup {
    let most = Double(max(histogram.counts.max() ?? 0, 1))
    var rows: [Markup] = []
    for (bin, count) in histogram.counts.enumerated() where count > 0 {
      let (start, end) = (histogram.edges[bin], histogram.edges[bin + 1])
      // The square root lets rare values be seen beside frequent ones.
      let height = max((Double(count) / most).squareRoot() * 52, 0.8)
      rows.append(
        """
        <rect class="\(style)" x="\(percent((start - low) / (high - low)))" \
        width="\(percent((end - start) / (high - low)))" \
        y="\(fixed(isUpward ? 55 - height : 57, 1))" height="\(fixed(height, 1))"/>
        """)
    }
    return Markup(rows)
  }

  private static func svg(height: Int, _ label: String, _ rows: [Markup], top: Int = 0) -> Markup {
    """
    <svg height="\(height + top)" role="img" aria-label="\(label)">\
    <svg y="\(top)" height="\(height)">\(Markup(rows))</svg></svg>
    """
  }

  private static func percent(_ share: Double) -> String {
    "\(fixed(min(max(share.isNaN ? 0 : share, 0), 1) * 100, 2))%"
  }
}
