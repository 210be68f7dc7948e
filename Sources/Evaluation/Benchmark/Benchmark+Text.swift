import Datasets
import Execution
import Graphs

extension Benchmark {
  /// The figures for a terminal of the given width.
  ///
  /// - Parameters:
  ///   - width: the cells of a line; names are shortened to fit.
  ///   - stepCount: how many steps are listed, the slowest first.
  public func text(width: Int = 100, stepCount: Int = 10) -> String {
    let types = inputs.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
    var parts = ["\(title)\n\(circumstances)\ninputs: \(source); \(types)", figures(width)]
    for run in runs {
      parts.append(latencies(of: run, width))
      if network.memory == nil {
        parts.append("no plan: shapes follow from data, so that the network runs node by node")
      } else if !run.steps.isEmpty {
        parts += steps(of: run, width, stepCount)
      }
    }
    if !thresholds.isEmpty {
      parts.append("thresholds\n" + thresholds.map { "  \($0)" }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  /// The networks' names.
  var title: String { network.name + (reference.map { " beside \($0.name)" } ?? "") }

  /// The names and texts of what both networks took before they were timed.
  var networkRows: [(name: String, cells: [String])] {
    let networks = [network] + (reference.map { [$0] } ?? [])
    func row(_ name: String, _ text: (Network) -> String?) -> (String, [String])? {
      let cells = networks.map(text)
      return cells.allSatisfy { $0 == nil } ? nil : (name, cells.map { $0 ?? "–" })
    }
    return [
      row("file size") { $0.byteCount.map(bytes) },
      row("load, median") { duration(milliseconds: $0.loadTime) },
      row("plan, median") { duration(milliseconds: $0.planTime) },
      row("weights, packed") { $0.memory.map { bytes($0.weightByteCount) } },
      row("values between steps") { $0.memory.map { bytes($0.arenaByteCount) } },
      row("peak memory, median") { $0.peakMemory.map(bytes) },
      row("loads") { "\($0.loadCount)" },
    ].compactMap { $0 }
  }

  /// The names and texts of latencies, the network's first.
  func latencyRows(of run: Run) -> [(name: String, cells: [String])] {
    let latencies = [run.latency] + (run.comparison.map { [$0.first] } ?? [])
    func row(_ name: String, _ text: (Latency) -> String) -> (String, [String]) {
      (name, latencies.map(text))
    }
    return [
      row("median") { duration(milliseconds: $0.median) },
      row("mean") { duration(milliseconds: $0.mean) },
      row("least") { duration(milliseconds: $0.minimum) },
      row("10 %") { duration(milliseconds: $0.percentile10) },
      row("90 %") { duration(milliseconds: $0.percentile90) },
      row("99 %") { duration(milliseconds: $0.percentile99) },
      row("spread") { "\(fixed($0.spread * 100, 1)) %" },
      row("runs (warm-up)") { "\($0.runCount) (\($0.warmUpCount))" },
    ]
  }

  /// How long all steps take beside whole runs, and beside what limits allow.
  func stepSummary(of run: Run) -> String {
    let (total, limit) = run.stepTime
    let share = run.stepShare.map { ", \(fixed($0 * 100, 0)) % of the median run" } ?? ""
    let turns = reference == nil ? "" : ", which took turns with the other network"
    return "\(duration(milliseconds: total * 1000)) in all\(share)\(share.isEmpty ? "" : turns); "
      + "the machine's limits would allow \(duration(milliseconds: limit * 1000)), "
      + "\(fixed(limit / total * 100, 0)) % of it"
  }

  private func figures(_ width: Int) -> String { table(networkRows, width) }

  private func table(_ rows: [(name: String, cells: [String])], _ width: Int) -> String {
    let names = [network.name] + (reference.map { [$0.name] } ?? [])
    var table = TextTable([("", .left)] + names.map { (heading: $0, alignment: .right) })
    for row in rows { table.add([row.name] + row.cells) }
    return table.text(width: width)
  }

  private func latencies(of run: Run, _ width: Int) -> String {
    let lines =
      [
        "\(counted(run.limits.threadCount, "thread"))", table(latencyRows(of: run), width),
        verdict(on: run),
      ].compactMap { $0 } + warnings(on: run).map { "warning: \($0)" } + ["machine: \(run.limits)"]
    return lines.joined(separator: "\n")
  }

  private func steps(of run: Run, _ width: Int, _ count: Int) -> [String] {
    let summary =
      "\(counted(run.steps.count, "step")) of \(network.name), timed alone: \(stepSummary(of: run))"
    var kinds = TextTable(("kind", .left), ("steps", .right), ("time", .right), ("share", .right))
    for row in run.kinds {
      kinds.add(
        row.kind, "\(row.count)", duration(milliseconds: row.time * 1000),
        "\(fixed(row.share * 100, 1)) %")
    }
    var table = TextTable([
      ("slowest steps", .left), ("time", .right), ("share", .right), ("operations", .right),
      ("bytes", .right), ("reached", .right), ("of limit", .right),
    ])
    let slowest = run.slowest.prefix(count)
    for step in slowest {
      table.add(
        step.step.name, duration(milliseconds: step.time * 1000), "\(fixed(step.share * 100, 1)) %",
        counted(step.operations), bytes(step.byteCount), step.reachedRate,
        "\(fixed(step.reachedShare * 100, 0)) %")
    }
    let reasons = slowest.map { "  \($0.step.name)\($0.kindNote): \($0.reason)" }
    let rest = run.steps.count - slowest.count
    return [summary + "\n" + kinds.text(width: width)]
      + (slowest.isEmpty
        ? []
        : [
          table.text(width: width) + (rest > 0 ? "\n… and \(rest) more" : ""),
          "why\n" + reasons.joined(separator: "\n"),
        ])
  }
}

extension StepTiming {
  /// What it gets done a second of what limits it, with the unit.
  var reachedRate: String {
    limit == .computation ? "\(rate(operationRate)) GOP/s" : "\(rate(byteRate)) GB/s"
  }

  /// The kind in parentheses, where the name does not end with it.
  var kindNote: String { step.name == step.label ? " (\(step.kind))" : "" }

  private func rate(_ value: Double) -> String {
    let value = value / 1e9
    return fixed(value, value < 0.1 ? 3 : value < 100 ? 1 : 0)
  }
}
