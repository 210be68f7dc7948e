import CKernels

extension Kernels {
  /// Many matrices of one shape in one array.
  package struct MatrixStack: Sendable {
    /// Where each begins, in elements.
    package var starts: [Int]
    /// The elements from row to row, or from column to column where `isTransposed`; neighbours along the other axis are next
    /// to each other.
    package var stride: Int
    package var isTransposed: Bool

    package init(starts: [Int], stride: Int, isTransposed: Bool = false) {
      (self.starts, self.stride, self.isTransposed) = (starts, stride, isTransposed)
    }
  }

  /// Products of pairs of matrices that are both computed anew in every run: the second of each pair is packed, then multiplied
  /// as a weight is.
  ///
  /// Pairs are shared out over the threads where there are enough, else the rows of each; the results do not depend on it.
  package struct StackedProducts: Sendable {
    package let count, rows, inner, columns: Int
    let a, b, y: MatrixStack

    /// Pairs fall into at most so many tasks, each of which has memory of its own.
    private static let taskLimit = 32
    /// Multiplications below which a task is not worth another thread.
    private static let taskWork = 1 << 15

    /// Products `[rows, inner] · [inner, columns]`; `a` and `y` are not transposed.
    package init(
      rows: Int, inner: Int, columns: Int, _ a: MatrixStack, _ b: MatrixStack, into y: MatrixStack
    ) {
      precondition(a.starts.count == b.starts.count && b.starts.count == y.starts.count)
      precondition(!a.isTransposed && !y.isTransposed)
      precondition(rows > 0 && inner > 0 && columns > 0)
      precondition(a.stride >= inner || rows == 1, "rows of \(inner), \(a.stride) apart")
      precondition(y.stride >= columns || rows == 1, "rows of \(columns), \(y.stride) apart")
      count = y.starts.count
      (self.rows, self.inner, self.columns) = (rows, inner, columns)
      (self.a, self.b, self.y) = (a, b, y)
    }

    private var tasks: Int { min(count, Self.taskLimit) }

    /// The bytes of memory that ``loop(_:_:memory:into:)`` needs, at a multiple of 64.
    package var floatMemory: Int { tasks * floatTaskMemory }
    private var floatTaskMemory: Int { 4 * tk_f32_packed_count(inner, columns) }

    /// The same for codes.
    package var codeMemory: Int { tasks * codeTaskMemory }
    private var codeTaskMemory: Int {
      tk_u8s8_packed_count(1, inner, columns) + (8 * columns + 63) / 64 * 64
    }

    /// Calls `body` with the first task of each part and the pairs in it.
    private func forEachPart(
      _ body: @escaping (_ task: Int, _ pairs: Swift.Range<Int>) -> Void
    ) -> () -> Void {
      let (count, tasks) = (count, tasks)
      guard count > 1 else { return { body(0, 0..<1) } }
      let work = rows * inner * columns * (count / tasks)
      return ParallelRanges(tasks, grain: max(1, Self.taskWork / max(work, 1))) { range in
        let start = range.lowerBound * count / tasks
        body(range.lowerBound, start..<(range.upperBound * count / tasks))
      }.run
    }

    /// What multiplies numbers: sums run over the inner axis in ascending order.
    package func loop(
      _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, memory: UnsafeMutableRawPointer,
      into result: UnsafeMutablePointer<Float>
    ) -> () -> Void {
      forEachPart { task, pairs in
        let packed = (memory + task * floatTaskMemory).assumingMemoryBound(to: Float.self)
        var last = -1
        for pair in pairs {
          if b.starts[pair] != last {
            last = b.starts[pair]
            Kernels.table.pointee.f32_pack(
              w + last, inner, columns, b.stride, b.isTransposed, packed)
          }
          var arguments = tk_f32_gemm(
            m: rows, n: columns, taps: 1, cin: inner, a: x + a.starts[pair], lda: a.stride,
            rows: nil, row_offset: 0, pad_row: nil, run: 0, b: packed, bias: nil, residual: nil,
            ldr: 0, lo: -.infinity, hi: .infinity, c: result + y.starts[pair], ldc: y.stride)
          tk_run_f32_gemm(Kernels.table, &arguments)
        }
      }
    }

    /// What multiplies unsigned codes less their zero points; sums are exact integers, and modulo 2³² beyond 65,793 terms.
    ///
    /// Behind every row of `x`, ``rowMargin`` bytes must be readable.
    /// - Parameter output: what becomes of the sums, given where a product begins and the elements from row to row.
    package func loop(
      _ x: UnsafePointer<UInt8>, zeroPoint xZero: Int32, _ w: UnsafePointer<UInt8>,
      zeroPoint wZero: Int32, memory: UnsafeMutableRawPointer,
      output: @escaping (_ start: Int, _ stride: Int) -> SumOutput
    ) -> () -> Void {
      // Kernels take signed second operands: 128 is taken off.
      let zero = wZero - 128
      let zeros = [Int32](repeating: zero, count: columns)
      return forEachPart { task, pairs in
        let packed = (memory + task * codeTaskMemory).assumingMemoryBound(to: Int8.self)
        let sums = UnsafeMutableRawPointer(packed + tk_u8s8_packed_count(1, inner, columns))
          .assumingMemoryBound(to: Int32.self)
        let bias = sums + columns
        var last = -1
        for pair in pairs {
          if b.starts[pair] != last {
            last = b.starts[pair]
            tk_u8_pack(
              Kernels.table, w + last, inner, columns, b.stride, b.isTransposed, packed, sums)
            let constant = Int32(truncatingIfNeeded: inner) &* xZero &* zero
            for column in 0..<columns { bias[column] = constant &- xZero &* sums[column] }
          }
          zeros.withUnsafeBufferPointer { zeros in
            let correction = SumCorrection(
              bias: bias, weightZeroPoints: zero == 0 ? nil : zeros.baseAddress)
            var arguments = tk_u8s8_gemm(
              m: rows, n: columns, taps: 1, cin: inner, a: x + a.starts[pair], lda: a.stride,
              rows: nil, row_offset: 0, pad_row: nil, run: 0, b: packed,
              out: Kernels.epilogue(
                correction, output(y.starts[pair], y.stride), columns: columns))
            tk_run_u8s8_gemm(Kernels.table, &arguments)
          }
        }
      }
    }
  }
}
