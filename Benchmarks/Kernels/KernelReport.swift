import Foundation

/// What was measured of one kernel.
struct KernelRow {
  var name: String
  var rate: Double
  var unit: String
  /// The share of the machine's peak, where there is one that applies.
  var share: Double?
  /// How many times faster than the scalar kernel, and whether the results are the same; nil for what has none.
  var scalar: (ratio: Double, isSame: Bool)?

  private var cells: [String] {
    [
      name, String(format: "%.1f %@", rate, unit),
      share.map { String(format: "%.1f %%", $0 * 100) } ?? "",
      scalar.map { String(format: $0.ratio < 10 ? "%.1f×" : "%.0f×", $0.ratio) } ?? "",
      scalar.map { $0.isSame ? "same" : "WRONG" } ?? "",
    ]
  }

  var text: String { Self.line(cells) }

  /// What the columns are.
  static let heading = line(["kernel", "rate", "of peak", "to scalar", "result"])

  private static func line(_ cells: [String]) -> String {
    zip(cells, [44, 18, 9, 11, 6]).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
      .joined()
  }

  var markdown: String { "| " + cells.dropLast().joined(separator: " | ") + " |" }
}

/// All that was measured, printed as it comes.
struct KernelReport {
  let isa: String
  private var rows: [KernelRow] = []

  init(isa: String) {
    self.isa = isa
    print(
      "\(isa), one thread, least times; ratios to the scalar kernels, whose results must be the same\n"
    )
    print(KernelRow.heading)
  }

  mutating func add(_ row: KernelRow) {
    rows.append(row)
    print(row.text)
  }

  /// Whether every kernel gave what the scalar one gives.
  var isRight: Bool { rows.allSatisfy { $0.scalar?.isSame ?? true } }

  var markdown: String {
    """
    # Kernels on one thread

    Made by `.build/release/kernel-benchmark --markdown Benchmarks/Kernels.md`, which also checks every result against the scalar
    kernel's.

    \(processor), \(isa). Least times; shares of the peak that the same run measured; ratios to the scalar kernels, which the
    compiler may vectorize with what every processor of the kind has.

    | kernel | rate | of peak | to scalar |
    |---|---|---|---|
    \(rows.map(\.markdown).joined(separator: "\n"))

    """
  }

  private var processor: String {
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(
      separator: "\n")
    let line = lines?.first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      ?? "unknown processor"
  }
}
