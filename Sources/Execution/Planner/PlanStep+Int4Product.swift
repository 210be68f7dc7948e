import Tensors

extension PlanStep {
  /// Rows of numbers, rounded to bytes where `rounding` says how, times weights of 4 bits.
  static func int4Product(
    _ source: Slot, rows: Int, _ weights: PackedInt4Matrix, _ rounding: PlanBuilder.Rounding?,
    _ end: ProductEnd, label: String
  ) -> PlanStep {
    PlanStep(
      label, kind: rounding == nil ? "4-bit product" : "4-bit int8 product", reads: [source],
      writes: [end.target] + (rounding.map { [$0.memory] } ?? []),
      multiplications: rows * weights.rows * weights.columns,
      weightByteCount: weights.byteCount + end.byteCount
    ) { arena in
      let x = arena.pointer(source, as: Float.self)
      let y = arena.pointer(end.target, as: Float.self)
      let rounded = rounding.map {
        Kernels.RoundedRows(
          arena.bytes($0.memory), rows: rows, length: weights.rows, blockSize: $0.blockSize)
      }
      return {
        end.withBias { bias in
          Kernels.multiply(
            x, stride: weights.rows, rows: rows, weights, rounded: rounded, bias: bias,
            clamp: end.clamp, into: y, stride: weights.columns)
        }
      }
    }
  }
}
