import Foundation

/// Charts as HTML and SVG. Lengths along x are percentages, so that text keeps its size whatever the width of the page.
enum Charts {
  /// A horizontal bar with its name and value above it.
  struct Bar {
    let name: String
    /// From 0 to 1, nil where it was not measured.
    let share: Double?
    let text: String
    let style: String
  }

  /// Horizontal bars, and a mark at a limit.
  static func bars(_ bars: [Bar], limit: Double? = nil) -> Markup {
    let mark: Markup = limit.map { "<u style=\"left:\(percent($0))\"></u>" } ?? ""
    return Markup(
      bars.map { bar in
        """
        <div class="bar"><span>\(bar.name)</span><span>\(bar.text)</span><div class="track">\
        <i class="\(bar.style)" style="width:\(percent(bar.share ?? 0))"></i>\(mark)</div></div>
        """
      })
  }

  /// The range of decibels that the bars of layers span, in tens: the noisiest layer's bar is the longest.
  static func span(of layers: [LayerError]) -> ClosedRange<Double> {
    let values = layers.flatMap { [$0.accumulated.sqnr, $0.isolated?.sqnr ?? .nan] }
      .filter(\.isFinite)
    let low = ((values.min() ?? 0) / 10).rounded(.down) * 10
    let high = ((values.max() ?? 60) / 10).rounded(.up) * 10
    return low...max(high, low + 10)
  }

  /// A bar a layer: its own noise, and behind it what has accumulated; both relative to the signal, in decibels.
  static func layers(_ layers: [LayerError]) -> Markup {
    let span = span(of: layers)
    func width(_ error: ErrorStatistics) -> String {
      let share = (span.upperBound - error.sqnr) / (span.upperBound - span.lowerBound)
      return percent(error.noiseEnergy == 0 ? 0 : max(share, 0.005))
    }
    return Markup(
      layers.compactMap { layer -> Markup? in
        guard let isolated = layer.isolated else { return nil }
        return """
          <div class="bar layer" title="\(layer.label) (\(layer.operation))">\
          <span><b>\(layer.label)</b> <em>\(layer.operation)</em></span>\
          <span>\(fixed(isolated.sqnr, 1)) <em>/ \(fixed(layer.accumulated.sqnr, 1)) dB</em></span>\
          <div class="track"><i class="faint" style="width:\(width(layer.accumulated))"></i>\
          <i class="\(severity(isolated.sqnr)) thin" style="width:\(width(isolated))"></i></div></div>
          """
      })
  }

  /// Noise above a tenth of the signal's amplitude is much, above a thirtieth worth a look.
  private static func severity(_ sqnr: Double) -> String {
    sqnr < 20 ? "severe" : sqnr < 30 ? "marked" : "after"
  }

  /// The accumulated SQNR of each value in the order of the network as a line, that of each layer alone as dots.
  static func course(_ layers: [LayerError]) -> Markup {
    let all = layers.flatMap { [$0.accumulated.sqnr, $0.isolated?.sqnr ?? .nan] }
    let finite = all.filter(\.isFinite)
    guard layers.count > 1, let top = finite.max(), let low = finite.min() else { return "" }
    let (high, bottom) = ((top / 10).rounded(.up) * 10, (low / 10).rounded(.down) * 10)
    func y(_ value: Double) -> Double {
      (1 - (min(max(value, bottom), high) - bottom) / max(high - bottom, 1)) * 170
    }
    func x(_ index: Int) -> Double { Double(index) / Double(layers.count - 1) }
    let points = layers.enumerated().filter { $1.accumulated.sqnr.isFinite }.map { index, layer in
      "\(fixed(x(index) * 1000, 1)),\(fixed(y(layer.accumulated.sqnr), 1))"
    }.joined(separator: " ")
    var (rows, names): ([Markup], [Markup]) = ([], [])
    for level in stride(from: bottom, through: high, by: 10) {
      let place = fixed(y(level), 1)
      rows.append("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"\(place)\" y2=\"\(place)\"/>")
      names.append(
        "<text class=\"soft\" x=\"-44\" y=\"\(fixed(y(level) + 4, 1))\">\(fixed(level, 0)) dB</text>"
      )
    }
    rows.append(
      """
      <svg x="0" y="0" width="100%" height="170" viewBox="0 0 1000 170" preserveAspectRatio="none">\
      <polyline class="trace" points="\(points)"/></svg>
      """)
    for (index, layer) in layers.enumerated() {
      guard let alone = layer.isolated?.sqnr, alone.isFinite else { continue }
      rows.append(
        """
        <circle class="\(severity(alone))" cx="\(percent(x(index)))" cy="\(fixed(y(alone), 1))" r="2.6">\
        <title>\(layer.label): alone \(fixed(alone, 1)) dB, accumulated \
        \(fixed(layer.accumulated.sqnr, 1)) dB</title></circle>
        """)
    }
    names.append(
      """
      <text class="soft" x="0" y="188">input</text>\
      <text class="soft" x="100%" y="188" text-anchor="end">output</text>
      """)
    let chart = svg(height: 192, "SQNR along the network", rows + names, top: 6)
    return "<div class=\"chart\">\(chart)</div>"
  }

  /// The counts of two histograms, both relative to the highest bin, one above and one below an axis; what codes can say is
  /// marked.
  static func histogram(_ histogram: ValueHistogram) -> Markup {
    let edges = histogram.before.edges
    let (low, high) = (edges[0], edges[edges.count - 1])
    func share(_ value: Double) -> Double { (value - low) / (high - low) }
    let most = highest(histogram.before.counts + histogram.after.counts)
    var rows: [Markup] = []
    for end in [histogram.codeRange?.lowerBound, histogram.codeRange?.upperBound] {
      guard let end, end > low, end < high else { continue }
      rows.append(
        """
        <line class="mark" x1="\(percent(share(end)))" x2="\(percent(share(end)))" y1="0" y2="112"/>
        """)
    }
    rows.append(
      """
      <svg x="0" y="0" width="100%" height="112" viewBox="0 0 \(edges.count - 1) 112" \
      preserveAspectRatio="none">\
      <path class="before" d="\(outline(histogram.before.counts, most, isUpward: true))"/>\
      <path class="after" d="\(outline(histogram.after.counts, most, isUpward: false))"/></svg>\
      <line class="axis" x1="0" x2="100%" y1="56" y2="56"/>\
      <text class="soft" x="0" y="127">\(number(low))</text>
      """)
    if low < 0, high > 0, share(0) > 0.15, share(0) < 0.85 {
      rows.append(
        """
        <text class="soft" x="\(percent(share(0)))" y="127" text-anchor="middle">0</text>
        """)
    }
    rows.append(
      """
      <text class="soft" x="100%" y="127" text-anchor="end">\(number(high))</text>
      """)
    return svg(height: 131, "Histogram of \(histogram.name) before and after", rows)
  }

  /// The count that fills the height: the highest, but where zeros outnumber all else by far, what shows the rest.
  private static func highest(_ counts: [Int]) -> Int {
    let sorted = counts.sorted(by: >)
    let third = sorted.count > 2 ? sorted[2] : 0
    return max(third > 0 ? min(sorted[0], third * 4) : sorted.first ?? 1, 1)
  }

  /// The outline of columns one unit wide. The square root lets rare values be seen beside frequent ones.
  private static func outline(_ counts: [Int], _ most: Int, isUpward: Bool) -> String {
    var path = "M0 56"
    for (bin, count) in counts.enumerated() {
      let height =
        count == 0 ? 0 : min(max((Double(count) / Double(most)).squareRoot() * 54, 1), 54)
      path += "V\(fixed(56 + (isUpward ? -height : height), 1))H\(bin + 1)"
    }
    return path + "V56Z"
  }

  static func svg(height: Int, _ label: String, _ rows: [Markup], top: Int = 0) -> Markup {
    """
    <svg height="\(height + top)" role="img" aria-label="\(label)">\
    <svg y="\(top)" height="\(height)">\(Markup(rows))</svg></svg>
    """
  }

  /// A number with three digits that count, and a minus sign that is one.
  static func number(_ value: Double) -> String {
    significant(value, 3).replacingOccurrences(of: "-", with: "−")
  }

  static func percent(_ share: Double) -> String {
    "\(fixed(min(max(share.isNaN ? 0 : share, 0), 1) * 100, 2))%"
  }
}
