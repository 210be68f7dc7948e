import CKernels

// What the calling thread can do at most, to judge kernels by.

extension Kernels {
  /// Makes `rounds` rounds of float multiply-adds between registers, as the kernels in use do, and returns how many operations
  /// that were: two for each multiply-add.
  package static func floatPeak(rounds: Int) -> Double { tk_peak_f32(table.pointee.isa, rounds) }

  /// As ``floatPeak(rounds:)`` with products of unsigned and signed bytes, summed in 32 bits.
  package static func bytePeak(rounds: Int) -> Double { tk_peak_u8s8(table.pointee.isa, rounds) }

  /// The sum of words, modulo 2⁶⁴: reads memory as fast as one thread can.
  package static func sum(_ words: UnsafePointer<UInt64>, count: Int) -> UInt64 {
    tk_sum_words(table.pointee.isa, words, count)
  }
}
