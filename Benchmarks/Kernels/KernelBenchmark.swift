import CKernels
import Foundation

/// Measures the kernels on one thread; see ``usage``.
///
/// Rates are shares of a peak measured in the same run, and ratios to the scalar table, whose results every kernel's must equal.
@main struct KernelBenchmark {
  private static let isas = [
    "scalar": TK_SCALAR, "avx2": TK_AVX2, "avxvnni": TK_AVXVNNI, "avx512": TK_AVX512,
    "neon": TK_NEON,
  ]

  private static let usage = """
    usage: kernel-benchmark [scalar|avx2|avxvnni|avx512|neon] [--markdown FILE]

    Measures the kernels of an instruction set, the best of this machine unless one is named, on one thread: half a
    minutes. Each result is compared with the scalar kernel's; exit code 1 where one differs.
    --markdown FILE   write the rates as Benchmarks/Kernels.md has them

    """

  static func main() throws {
    var words = Array(CommandLine.arguments.dropFirst())
    if words.contains(where: { ["-h", "--help"].contains($0) }) {
      return print(usage, terminator: "")
    }
    var file: String?
    if let option = words.firstIndex(of: "--markdown"), option + 1 < words.count {
      file = words[option + 1]
      words.removeSubrange(option...option + 1)
    }
    guard words.count <= 1,
      let isa = words.first.map({ isas[$0] }) ?? tk_current().pointee.isa,
      let table = tk_table_for(isa)
    else {
      FileHandle.standardError.write(Data(usage.utf8))
      exit(2)
    }
    tk_set_threads(1)
    let report = measure(table)
    if let file { try report.markdown.write(toFile: file, atomically: true, encoding: .utf8) }
    if !report.isRight { exit(1) }
  }

  private static func measure(_ table: UnsafePointer<tk_kernels>) -> KernelReport {
    let isa = table.pointee.isa
    var report = KernelReport(isa: String(cString: table.pointee.name))
    let floatPeak = peak { tk_peak_f32(isa, $0) }
    let codePeak = peak { tk_peak_u8s8(isa, $0) }
    report.add(.init(name: "peak float", rate: floatPeak, unit: "GFLOP/s"))
    report.add(.init(name: "peak u8 × s8", rate: codePeak, unit: "GOP/s"))
    for product in Product.all { report.add(product.measureFloats(table, peak: floatPeak)) }
    for product in Product.all { report.add(product.measureCodes(table, peak: codePeak)) }
    for product in Product.ofInt4 {
      for row in product.measureInt4(table, peaks: (floatPeak, codePeak)) { report.add(row) }
    }
    for row in measureDepthwise(table) + measureArrays(table) { report.add(row) }
    return report
  }

  private static func peak(_ run: (Int) -> Double) -> Double {
    var operations = 0.0
    let seconds = leastSeconds { operations = run(100_000) }
    return operations / seconds * 1e-9
  }
}
