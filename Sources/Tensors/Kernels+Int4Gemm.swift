import CKernels

extension Kernels {
  /// Memory for rows of numbers that are rounded to signed bytes, with a scale for each block of them.
  package struct RoundedRows {
    /// How many numbers share a scale.
    let blockSize: Int
    let codes: UnsafeMutablePointer<Int8>
    let scales: UnsafeMutablePointer<Float>
    let starts: UnsafeMutablePointer<Int32>

    /// Takes ``byteCount(rows:length:blockSize:)`` bytes from `memory` on, aligned for floats.
    package init(_ memory: UnsafeMutableRawPointer, rows: Int, length: Int, blockSize: Int) {
      let (codes, numbers) = Self.counts(rows, length, blockSize)
      self.blockSize = blockSize
      self.codes = memory.assumingMemoryBound(to: Int8.self)
      scales = (memory + codes).assumingMemoryBound(to: Float.self)
      starts = (memory + codes + 4 * numbers).assumingMemoryBound(to: Int32.self)
    }

    package static func byteCount(rows: Int, length: Int, blockSize: Int) -> Int {
      let (codes, numbers) = counts(rows, length, blockSize)
      return codes + 8 * numbers
    }

    private static func counts(_ rows: Int, _ length: Int, _ blockSize: Int) -> (Int, Int) {
      precondition(blockSize % 8 == 0 && 8...8192 ~= blockSize, "blocks of \(blockSize)")
      precondition(rows >= 0 && length > 0, "\(rows) rows of \(length)")
      return (rows * tk_q4_code_stride(length), rows * ((length - 1) / blockSize + 1))
    }
  }

  /// `result[m, columns] = clamp(A[m, rows of weights] · weights + bias)`, on all threads.
  ///
  /// With `rounded` the numbers of A are first rounded to 8 bits in blocks, to nearest even, by the scale `greatest magnitude /
  /// 127`; the sums of a block are exact integers, and their products with both scales are added up from the first block on.
  /// - Parameters:
  ///   - a: rows of floats, `stride` apart.
  ///   - stride: at least the weights' rows.
  ///   - m: the number of rows.
  ///   - weights: blocks of A must not reach over the ends of its groups.
  ///   - rounded: memory for the rounded rows; nil multiplies them as they are.
  ///   - bias: one value per column.
  ///   - clamp: a rectifier is `0...(+inf)`.
  ///   - result: where the rows go.
  ///   - resultStride: from row to row of the result.
  package static func multiply(
    _ a: UnsafePointer<Float>, stride: Int, rows m: Int, _ weights: PackedInt4Matrix,
    rounded: RoundedRows? = nil, bias: UnsafePointer<Float>? = nil,
    clamp: ClosedRange<Float> = -Float.infinity...Float.infinity,
    into result: UnsafeMutablePointer<Float>, stride resultStride: Int
  ) {
    precondition(m >= 0 && stride >= weights.rows, "\(m) rows of stride \(stride)")
    precondition(resultStride >= weights.columns, "results of stride \(resultStride)")
    let block = rounded?.blockSize ?? 0
    precondition(
      block == 0 || weights.groupSize % block == 0 || weights.groupSize >= weights.rows,
      "blocks of \(block) in groups of \(weights.groupSize)")
    var arguments = tk_q4_gemm(
      m: m, n: weights.columns, k: weights.rows, group: weights.groupSize,
      has_zeros: weights.hasZeroPoints, a: a, lda: stride, b: weights.memory, block: block,
      codes: rounded?.codes, code_scales: rounded?.scales, code_starts: rounded?.starts, bias: bias,
      lo: clamp.lowerBound, hi: clamp.upperBound, c: result, ldc: resultStride)
    tk_run_q4_gemm(table, &arguments)
  }
}
