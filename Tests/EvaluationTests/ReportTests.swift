import Foundation
import Testing
import _TestSupport

@testable import Evaluation

/// What two layers gain in float.
private func sampleFloatLayers() -> FloatLayers {
  func advice(_ nodes: [String], _ gain: Double) -> KeepFloatAdvice {
    KeepFloatAdvice(
      nodes: nodes, addedByteCount: 30_000 * nodes.count, growth: 0.0064 * Double(nodes.count),
      sqnr: 22.94 + gain, gain: gain)
  }
  let single = [advice(["<conv>"], 1.25), advice(["head"], -0.004)]
  return FloatLayers(
    single: single, advice: [single[0], advice(["<conv>", "head"], 1.75)], sampleCount: 16)
}

/// The errors of one of many layers.
private func sampleLayer(_ index: Int) -> LayerError {
  var isolated = ErrorStatistics()
  var accumulated = ErrorStatistics()
  let signal: [Float] = [100]
  let noise = Float(0.4 + 2.4 * abs(sin(Double(index) * 1.7)))
  signal.withUnsafeBufferPointer { signal in
    [100 + noise].withUnsafeBufferPointer { isolated.add($0, expected: signal) }
    [100 + Float(index + 1).squareRoot() + noise].withUnsafeBufferPointer {
      accumulated.add($0, expected: signal)
    }
  }
  let node = "/blocks/blocks.\(index / 4)/conv_pw_expansion_\(index % 4)/Conv"
  return LayerError(
    node: node, operation: ["Conv", "Conv", "Add", "Gemm"][index % 4], value: "v\(index)",
    label: node, accumulated: accumulated, isolated: isolated, floatByteCount: 40_000,
    quantizedByteCount: 10_000, isNode: true)
}

/// Weights of which some stay float.
private func sampleWeights() -> WeightShare {
  WeightShare(
    total: 20_000_000,
    float: [
      .init(
        name: "embedding.<weight>", node: "/embed/Gather", operation: "Gather",
        byteCount: 4_000_000, reason: "too few rows"),
      .init(name: "norm.bias", node: "norm", operation: "Add", byteCount: 3_000, reason: ""),
    ]
      + (0..<9).map {
        .init(name: "b\($0)", node: "n", operation: "Add", byteCount: 100, reason: "")
      })
}

/// Weights and two values of a layer, before and after.
private func sampleHistograms(node: String) -> [ValueHistogram] {
  let values = (0..<4000).map { Float(sin(Double($0)) * cos(Double($0) * 0.7)) }
  let names: [(String, ValueHistogram.Kind)] = [
    ("stem.weight", .weights), ("v12", .activations), ("v30", .activations),
  ]
  return names.map { name, kind in
    var histogram = ValueHistogram(
      name, kind, before: BinCounts(of: values),
      after: BinCounts(of: values.map { ($0 * 24).rounded() / 24 }))
    histogram.node = node
    if kind == .activations {
      histogram.codeRange = -0.75...0.8
      histogram.step = 1.55 / 255
      histogram.clippedShare = 0.0123
    }
    return histogram
  }
}

/// A report with something in every section, its names full of what has to be escaped.
func sampleReport() -> Report {
  var float = Report.Network("float32")
  var quantized = Report.Network("w8a8 & <b>")
  (float.byteCount, quantized.byteCount) = (18_000_000, 4_700_000)
  (float.nodeCount, quantized.nodeCount) = (90, 270)
  float.latency = Latency(times: [5.4, 5.5, 5.6], warmUpCount: 2, threadCount: 1)
  quantized.latency = Latency(times: [2.2, 2.25, 2.3], warmUpCount: 2, threadCount: 1)
  (float.peakMemory, quantized.peakMemory) = (61_000_000, 24_000_000)
  float.metrics = [.top1: 0.9, .top5: 0.95]
  quantized.metrics = [.top1: 0.895, .top5: 0.95, .sqnr: 22.94, .cosine: 0.9975, .agreement: 0.95]
  var report = Report(
    title: "net \"<script>alert('x')</script>\"", float: float, quantized: quantized)
  report.facts = [.init("recipe", "w8a8"), .init("seed", "0")]
  report.planSummary = "52 static, 3 absorbed, 2 float"
  report.weights = sampleWeights()
  let layers = (0..<50).map(sampleLayer)
  report.plan = layers.map { layer in
    .init(
      node: layer.node, operation: layer.operation, treatment: "static",
      weights: "int8 symmetric perChannel(axis: 0)", activations: "uint8 affine perTensor", note: ""
    )
  }
  report.comparison = NetworkComparison(
    sampleCount: 16, outputs: [("logits", layers.last!.accumulated)], layers: layers,
    quantizedByteCount: 4_600_000)
  report.floatLayers = sampleFloatLayers()
  report.sampleCount = 2000
  report.histograms = sampleHistograms(node: layers[1].node)
  report.limits = Thresholds(maxDrop: 0.01, minSpeedup: 2, maxSize: 0.2, minSQNR: 20)
  return report
}

@Suite struct ReportTests {
  @Test func figures() {
    let report = sampleReport()
    #expect(abs(report.sizeShare! - 0.2611) < 1e-4 && abs(report.speedup! - 2.4444) < 1e-4)
    #expect(abs(report.drop! - 0.005) < 1e-12 && report.sqnr == 22.94)
    #expect(report.thresholds.map(\.isMet) == [true, true, false, true] && !report.isMet)
  }

  @Test func text() {
    let lines = sampleReport().text().split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.allSatisfy { String($0).displayWidth <= 100 || $0.hasPrefix("  keep") })
    for expected in [
      "top-1               90.00 %     89.50 %  −0.50 points",
      "file size           18.0 MB      4.7 MB        26.1 %",
      "latency, median    5.500 ms    2.250 ms         2.44×",
      "compression ratio     1.00×       3.83×",
      "plan: 52 static, 3 absorbed, 2 float",
      "weights: 80.0 % of the weights' 20.0 MB become codes; float stay 4.0 MB",
      "embedding.<weight>  4.0 MB  Gather /embed/Gather  too few rows",
      "norm.bias           3.0 kB  Add norm",
      "… and 5 more         500 B",
      "… and 40 more",
      "  FAILED max-size: 26.1 %, at most 20.0 %",
      "  keep this layer in float: +0.6 % size (+30.0 kB), +1.2 dB (24.2 dB): <conv>",
      "  keep these 2 layers in float: +1.3 % size (+60.0 kB), +1.8 dB (24.7 dB): <conv>, head",
      "  measured by quantizing anew, on 16 samples, for the 2 noisiest layers with weights",
    ] {
      #expect(lines.contains { $0 == expected }, "\(expected)")
    }
  }

  @Test func speedupOfRunsThatTookTurns() {
    var report = sampleReport()
    report.pairedSpeedup = 1.9
    #expect(report.speedup == 1.9)
    #expect(report.thresholds.first { $0.name == "min-speedup" }?.isMet == false)
  }

  @Test func wordsAreExplained() {
    var report = sampleReport()
    report.planLegend = "static: integers"
    let text = report.text()
    #expect(text.contains("plan: 52 static, 3 absorbed, 2 float\n  static: integers\n"))
    #expect(
      text.contains(
        "\n  alone: only this layer is quantized; accumulated: all up to it are, as in the network\n"
      ))
    #expect(report.html.contains("<small>static: integers</small>"))
  }

  @Test func json() throws {
    let text = sampleReport().json
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8)) as! [String: Any]
    #expect(value["schema"] as? String == "tessera.report/1")
    #expect(value["title"] as? String == "net \"<script>alert('x')</script>\"")
    let quantized = value["quantized"] as! [String: Any]
    #expect(quantized["size_bytes"] as? Int == 4_700_000)
    #expect((quantized["latency"] as! [String: Any])["median_ms"] as? Double == 2.25)
    #expect((quantized["metrics"] as! [String: Any])["sqnr_db"] as? Double == 22.94)
    #expect((value["layers"] as! [Any]).count == 50 && value["thresholds_met"] as? Bool == false)
    let weights = value["weights"] as! [String: Any]
    #expect(weights["size_bytes"] as? Int == 20_000_000)
    #expect(weights["codes_ratio"] as? Double == 0.799805)
    #expect((weights["float"] as! [[String: Any]]).count == 11)
    let advice = try #require((value["advice"] as! [[String: Any]]).first)
    #expect(advice["keep_float"] as? [String] == ["<conv>"])
    #expect(advice["size_increase_bytes"] as? Int == 30_000)
    let histogram = try #require((value["histograms"] as! [[String: Any]]).last)
    #expect(histogram["clipped_share"] as? Double == 0.0123)
    #expect((histogram["counts_after"] as! [Int]).reduce(0, +) == 4000)
    #expect(text == sampleReport().json)
  }

  @Test func jsonNumbersHaveSixDigits() {
    let numbers = [0.1, 1.0 / 3, 2, -123_456_789, 1.23456789e-12, 6.02214076e23, -0.0, 99999.96]
    #expect(
      JSON.array(numbers.map(JSON.number)).text.split(whereSeparator: \.isWhitespace).joined()
        == "[0.1,0.333333,2,-123456789,1.23457e-12,6.02214e+23,0,100000]")
  }

  @Test func jsonValues() {
    let document = JSON.members([
      "a": .string("\"\\\n\u{1}é"), "none": nil,
      "b": .array([.int(-1), .number(.infinity), .null]),
      "c": .object([]), "d": .bool(true), "e": .number(0.1),
    ])
    #expect(
      document.text == """
        {
          "a": "\\"\\\\\\n\\u0001é",
          "b": [
            -1,
            null,
            null
          ],
          "c": {},
          "d": true,
          "e": 0.1
        }

        """)
  }

  @Test func page() throws {
    let html = sampleReport().html
    #expect(html.contains("net &quot;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;"))
    #expect(html.contains("w8a8 &amp; &lt;b&gt;") && !html.contains("<script"))
    #expect(html.contains("<td>embedding.&lt;weight&gt;</td><td class=\"number\">4.0 MB</td>"))
    // Nothing is loaded from elsewhere.
    for word in ["http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(word), "\(word)")
    }
    #expect(html.contains("✗ 1 of 4 thresholds missed <span>– max-size is 26.1 %, at most 20.0 %"))
    #expect(html.contains("keepFloat: [&lt;conv&gt;, head]") && html.contains("1.2 % clipped"))
    #expect(html.contains("+0.00 dB"), "a gain that rounds to zero has no minus sign")
    #expect(html.contains("prefers-color-scheme: dark") && html.contains("width=device-width"))
    // Well-formed but for what HTML does not close.
    let body = html.dropFirst("<!DOCTYPE html>".count)
      .replacingOccurrences(of: "<meta charset=\"utf-8\">", with: "")
      .replacingOccurrences(
        of: "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">", with: "")
    #expect(Balance(body).isBalanced)
    if let path = ProcessInfo.processInfo.environment["TESSERA_SAMPLE_REPORT"] {
      try sampleReport().writeHTML(to: path)
    }
  }

  @Test func emptyReport() {
    let report = Report(title: "t", float: .init("a"), quantized: .init("b"))
    #expect(report.isMet && report.thresholds.isEmpty && report.speedup == nil)
    #expect(report.html.contains("<h1>t</h1>") && !report.html.contains("<svg"))
    #expect(!report.html.contains("<h2>Where"))
    #expect(report.text().hasPrefix("t\n"))
  }
}

/// Whether every element of a page that is opened is closed, innermost first.
private struct Balance {
  private(set) var isBalanced = true

  init(_ text: String) {
    var open: [Substring] = []
    for piece in text.split(separator: "<").dropFirst() {
      let tag = piece.prefix { $0 != ">" }
      if tag.hasSuffix("/") { continue }
      let name = tag.prefix { $0 != " " && $0 != "\n" }
      if !name.hasPrefix("/") {
        open.append(name)
      } else if open.popLast() != name.dropFirst() {
        isBalanced = false
      }
    }
    isBalanced = isBalanced && open.isEmpty
  }
}

@Suite struct TextTableTests {
  /// Names are never shortened so far that two look alike.
  @Test func differentNamesStayDifferent() {
    var table = TextTable(("name", .left), ("size", .right))
    let names = (0..<12).map { "a.long.prefix.of.\($0).layers.and.a.long.end.weight" }
    for name in names { table.add(name, "1") }
    let lines = table.text(width: 24).split(separator: "\n").dropFirst(2)
    #expect(Set(lines).count == names.count)
    #expect(lines.allSatisfy { String($0).displayWidth < names[0].count })
    table.add("short", "2")
    table.add("short", "3")
    #expect(table.text(width: 24).contains("…"))
  }

  @Test func aligned() {
    var table = TextTable(("name", .left), ("size", .right))
    table.add("größe", "1")
    table.add("日本", "1000")
    #expect(
      table.text() == """
        name   size
        ─────  ────
        größe     1
        日本   1000
        """)
  }

  @Test func narrow() {
    var table = TextTable(("name", .left), ("size", .right))
    table.add("a/very/long/path/to/a/layer", "1000")
    #expect(
      table.text(width: 20) == """
        name            size
        ──────────────  ────
        a/very/…/layer  1000
        """)
  }

  @Test(arguments: ["", "a", "abcdefghij", "日本語テキスト", "a日b本c"], 1...12)
  func shortened(_ text: String, _ width: Int) {
    let short = text.shortened(to: width)
    #expect(short.displayWidth <= width || width == 1 && text.count == 1)
    if text.displayWidth <= width { #expect(short == text) }
  }
}

@Suite struct BinCountsTests {
  @Test func counts() {
    let histogram = BinCounts(of: [0, 1, 1, 2, 4, .nan, .infinity], binCount: 4)
    #expect(histogram.edges == [0, 1, 2, 3, 4] && histogram.counts == [1, 2, 1, 1])
    var clamped = BinCounts(of: [-9, 0.5, 9], from: 0, to: 1, binCount: 2)
    #expect(clamped.counts == [1, 2] && clamped.outsideCount == 2)
    clamped.add([0, 1, .nan])
    #expect(clamped.counts == [2, 3] && clamped.outsideCount == 2 && clamped.count == 5)
  }

  @Test(arguments: [[], [3], [-2, -2]] as [[Float]]) func oneValue(_ values: [Float]) {
    #expect(BinCounts(of: values, binCount: 3).counts.reduce(0, +) == values.count)
  }
}
