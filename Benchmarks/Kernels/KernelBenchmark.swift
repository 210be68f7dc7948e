import CKernels
import Foundation

/// Measures the kernels on one thread: `kernel-benchmark [scalar|avx2|avx512]`.
///
/// Rates are shares of a peak measured in the same run; products are checked against the scalar
/// table.
@main struct KernelBenchmark {
  static func main() {
    let isas = ["scalar": TK_SCALAR, "avx2": TK_AVX2, "avx512": TK_AVX512]
    let wished = CommandLine.arguments.dropFirst().first
    guard let isa = wished.map({ isas[$0] }) ?? tk_current().pointee.isa,
      let table = tk_table_for(isa)
    else {
      FileHandle.standardError.write(Data("usage: kernel-benchmark [scalar|avx2|avx512]\n".utf8))
      exit(2)
    }
    tk_set_threads(1)
    let floatPeak = peak { tk_peak_f32(isa, $0) }
    let codePeak = peak { tk_peak_u8s8(isa, $0) }
    print(String(cString: table.pointee.name))
    report("peak float", floatPeak, unit: "GFLOP/s", peak: 0, right: true)
    report("peak u8 x s8", codePeak, unit: "GOP/s  ", peak: 0, right: true)
    print("\nfloat products")
    for product in Product.all { product.measureFloats(table, peak: floatPeak) }
    print("\nu8 x s8 products, requantized")
    for product in Product.all { product.measureCodes(table, peak: codePeak) }
    print("\nother")
    measureDepthwise(table)
    measureArrays(table)
  }

  private static func peak(_ run: (Int) -> Double) -> Double {
    var operations = 0.0
    let seconds = leastSeconds { operations = run(100_000) }
    return operations / seconds * 1e-9
  }
}
