import CKernels
import Foundation

/// The kernels: loops over raw memory, written in C for each instruction set and chosen at run
/// time.
///
/// Thin by intention: counts are elements, strides too, an output may be its input where the
/// elements are equally wide, and only the mistakes that are cheap to see trap. Contracts in full:
/// `CKernels.h`. Functions here run on the calling thread unless they say otherwise.
package enum Kernels {
  /// The name of the instruction set in use: `scalar`, `avx2`, `avxvnni`, `avx512` or `neon`.
  /// `TESSERA_ISA` caps it.
  package static var instructionSet: String { String(cString: table.pointee.name) }

  /// What is wrong with `TESSERA_ISA`, in one line; nil where it is met or not set.
  package static var instructionSetWarning: String? {
    guard let wanted = ProcessInfo.processInfo.environment["TESSERA_ISA"], !wanted.isEmpty else {
      return nil
    }
    let known = [
      ("scalar", TK_SCALAR), ("avx2", TK_AVX2), ("avxvnni", TK_AVXVNNI),
      ("avx512", TK_AVX512), ("neon", TK_NEON),
    ]
    guard let (_, set) = known.first(where: { $0.0 == wanted }) else {
      return "TESSERA_ISA is '\(wanted)', which is no instruction set; known are "
        + "\(known.map(\.0).joined(separator: ", ")); \(instructionSet) is used"
    }
    return tk_table_for(set) == nil
      ? "TESSERA_ISA is '\(wanted)', which this machine lacks; \(instructionSet) is used" : nil
  }

  /// The table of functions in use.
  static var table: UnsafePointer<tk_kernels> { tk_current() }

  /// Bytes that must be readable behind every row of 8-bit activations.
  package static let rowMargin = Int(TK_ROW_MARGIN)
}

// MARK: - Small floats

extension Kernels {
  /// Widens float16 bit patterns; exact.
  package static func float16ToFloat(
    _ x: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>, count: Int
  ) { table.pointee.f16_to_f32(x, y, count) }

  /// Rounds to float16, to nearest even; overflow gives infinity, NaN a quiet NaN.
  package static func floatToFloat16(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>, count: Int
  ) { table.pointee.f32_to_f16(x, y, count) }

  /// Widens bfloat16 bit patterns; exact.
  package static func bfloat16ToFloat(
    _ x: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>, count: Int
  ) { table.pointee.bf16_to_f32(x, y, count) }

  /// Rounds to bfloat16, to nearest even; overflow gives infinity, NaN a quiet NaN.
  package static func floatToBFloat16(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>, count: Int
  ) { table.pointee.f32_to_bf16(x, y, count) }
}
