import Datasets
import Execution
import Graphs
import Tensors

extension Benchmark {
  /// How many steps are drawn; the table has all of them.
  private static let drawnStepCount = 40

  /// The figures as one page of HTML with charts, which loads nothing else: whether limits are met, latencies, where the time
  /// goes and what limits it, then everything as tables.
  public var html: String {
    page(
      title,
      """
      <h1>\(title)</h1>
      <p>\("\(circumstances)")</p>
      <p>inputs: \(source); \(inputs.map { "\($0.name) \($0.type)" }.joined(separator: ", "))</p>
      \(thresholdVerdict(thresholds))
      <div class="grid measures">\(Markup(runs.map(latencyCard)))\(networkCard)</div>
      \(Markup(runs.map(section)))
      <footer>Written by Tessera. 1 MB is 1,000,000 bytes. Two operations for each multiply-add. Peaks and rates of reading \
      were measured on this machine, with as many threads.</footer>
      """)
  }

  /// Writes the figures as one page that needs nothing else. Throws ``FileError``.
  public func writeHTML(to path: String) throws { try writeFile(html, to: path) }

  private func latencyCard(_ run: Run) -> Markup {
    let latencies =
      [(network.name, run.latency, "after")]
      + (reference.flatMap { reference in
        run.comparison.map { [(reference.name, $0.first, "before")] }
      } ?? [])
    let most = latencies.map { $0.1.median }.max() ?? 1
    let bars = latencies.reversed().map { name, latency, style in
      Charts.Bar(
        name: name, share: latency.median / most,
        text:
          "\(duration(milliseconds: latency.median)), 99 % \(duration(milliseconds: latency.percentile99))",
        style: style)
    }
    let notes =
      [verdict(on: run)].compactMap { $0 } + warnings(on: run).map { "Warning: \($0)" }
      + ["\(run.limits)"]
    return card(
      "Latency, median, \(counted(run.limits.threadCount, "thread"))",
      """
      <span class="big">\(duration(milliseconds: run.latency.median))</span>\(Charts.bars(bars))
      \(Markup(notes.map { "<small>\($0)</small>" }))
      """)
  }

  private var networkCard: Markup {
    let networks = [network] + (reference.map { [$0] } ?? [])
    let isPair = Set(networks.map(\.isQuantized)).count == 2
    let names = networks.map { isPair ? ($0.isQuantized ? "quantized" : "float") : $0.name }
    let head = Markup(names.map { "<th class=\"number\">\($0)</th>" })
    return card(
      "Before the first run",
      """
      <div class="scroll"><table><tr><th></th>\(head)</tr>\(Markup(networkRows.map(row)))</table></div>
      """)
  }

  private func row(_ row: (name: String, cells: [String])) -> Markup {
    """
    <tr><td>\(row.name)</td>\(Markup(row.cells.map { "<td class=\"number\">\($0)</td>" }))</tr>
    """
  }

  private func section(_ run: Run) -> Markup {
    guard !run.steps.isEmpty else { return "" }
    return """
      <h2>Where the time goes, \(counted(run.limits.threadCount, "thread"))</h2>
      <p>\(counted(run.steps.count, "step")), timed alone: \(stepSummary(of: run)).</p>
      <div class="grid split">\(slowestCard(run))
      <div>\(rooflineCard(run))\(kindCard(run))</div></div>
      \(tableCard(run))
      """
  }

  private func slowestCard(_ run: Run) -> Markup {
    let rest = run.steps.count - min(run.steps.count, Self.drawnStepCount)
    let more: Markup = rest > 0 ? "<p>\(rest) more in the table below.</p>" : ""
    return card(
      "Steps, the slowest first",
      """
      <div class="key"><span><i class="faint"></i>time</span>\
      <span><i class="after"></i>what the peak of computation allows</span>\
      <span><i class="before"></i>what the rate of memory allows</span>\
      <span><i class="severe"></i>by a reference function</span></div>
      <div class="columns">\(Charts.steps(Array(run.slowest.prefix(Self.drawnStepCount))))</div>
      \(more)
      """)
  }

  private func rooflineCard(_ run: Run) -> Markup {
    card(
      "Roofline",
      """
      <p>What steps reach (dots; areas are shares of the time) of what the machine can do (lines): the more operations for each \
      byte, the less memory limits. Steps without operations are left out.</p>
      <div class="key"><span><i class="after"></i>limited by computation</span>\
      <span><i class="before"></i>by memory</span>\
      <span><i class="severe"></i>by a reference function</span></div>
      \(Charts.roofline(run.steps, run.limits))
      """)
  }

  private func kindCard(_ run: Run) -> Markup {
    let body = Markup(
      run.kinds.map { kind in
        """
        <tr><td>\(kind.kind)</td><td class="number">\(kind.count)</td>\
        <td class="number">\(duration(milliseconds: kind.time * 1000))<small>\(fixed(kind.share * 100, 1)) %</small></td></tr>
        """
      })
    return card(
      "Kinds of steps",
      """
      <div class="scroll"><table><tr><th>kind</th><th class="number">steps</th><th class="number">time</th></tr>
      \(body)</table></div>
      """)
  }

  private func tableCard(_ run: Run) -> Markup {
    let body = Markup(
      run.steps.map { step in
        """
        <tr><td>\(step.step.name)</td><td>\(step.step.kind)</td>\
        <td class="number">\(duration(milliseconds: step.time * 1000))</td>\
        <td class="number">\(fixed(step.share * 100, 1)) %</td>\
        <td class="number">\(counted(step.operations))</td>\
        <td class="number">\(bytes(step.byteCount))</td>\
        <td class="number">\(step.reachedRate)</td>\
        <td class="number">\(fixed(step.reachedShare * 100, 0)) %</td>\
        <td class="note">\(step.reason)</td></tr>
        """
      })
    return card(
      "All steps",
      """
      <details><summary>\(counted(run.steps.count, "step")) in the order of the network</summary>
      <div class="scroll"><table class="wide"><tr><th>step</th><th>kind</th><th class="number">time</th>\
      <th class="number">share</th><th class="number">operations</th><th class="number">bytes</th>\
      <th class="number">reached</th><th class="number">of limit</th><th>why</th></tr>\(body)</table></div></details>
      """)
  }
}
