import CKernels

extension Kernels {
  /// Where the rows of a product's first operand, or the pixels under a kernel, lie.
  package enum Rows<Element> {
    /// Row `r` starts at `first + r × stride`; one tap.
    case dense(UnsafePointer<Element>, stride: Int)
    /// Tap `t` of row `r` starts at `pointers[r × taps + t] + offset`, except that `padding` is
    /// taken as it is: one list serves every image of a batch.
    case indirect(
      UnsafePointer<UnsafePointer<Element>>, offset: Int = 0, padding: UnsafePointer<Element>? = nil
    )

    /// The same without padding, in runs of `run` rows within which every tap of a row starts
    /// `stride` behind that of the row before.
    case spaced(
      UnsafePointer<UnsafePointer<Element>>, offset: Int = 0, run: Int, stride: Int)

    fileprivate typealias Parts = (
      first: UnsafePointer<Element>?, stride: Int, run: Int,
      pointers: UnsafePointer<UnsafePointer<Element>>?, offset: Int,
      padding: UnsafePointer<Element>?
    )

    fileprivate func parts(taps: Int, inputs: Int, rows: Int) -> Parts {
      switch self {
      case .dense(let first, let stride):
        precondition(taps == 1, "dense rows have one tap, not \(taps)")
        precondition(stride >= inputs || rows <= 1, "\(inputs) inputs in rows of stride \(stride)")
        return (first, stride, 0, nil, 0, nil)
      case .indirect(let pointers, let offset, let padding):
        return (nil, 0, 0, pointers, offset, padding)
      case .spaced(let pointers, let offset, let run, let stride):
        precondition(run > 0 && stride >= 0, "runs of \(run) rows of stride \(stride)")
        return (nil, stride, run, pointers, offset, nil)
      }
    }
  }

  /// What is done to a float sum before it is stored: `clamp(sum + bias + residual)`.
  package struct FloatEpilogue {
    /// One value per column.
    package var bias: UnsafePointer<Float>?
    /// A matrix as large as the result, with its row stride; it may be the result itself.
    package var residual: UnsafePointer<Float>?
    package var residualStride = 0
    /// A rectifier is `0...(+inf)`.
    package var clamp: ClosedRange<Float> = -Float.infinity...Float.infinity

    package init(
      bias: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil,
      residualStride: Int = 0, clamp: ClosedRange<Float> = -Float.infinity...Float.infinity
    ) {
      self.bias = bias
      self.residual = residual
      self.residualStride = residualStride
      self.clamp = clamp
    }
  }

  /// `result[m, columns] = epilogue(A[m, taps × inputs] · weights)`, on all threads.
  ///
  /// The rows of `weights` are `taps × inputs`; dense rows have one tap.
  package static func multiply(
    _ a: Rows<Float>, rows m: Int, taps: Int = 1, _ weights: PackedFloatMatrix,
    epilogue: FloatEpilogue = FloatEpilogue(),
    into result: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(m >= 0 && stride >= weights.columns, "\(m) rows of stride \(stride)")
    precondition(taps >= 1 && weights.rows % taps == 0, "\(weights.rows) rows in \(taps) taps")
    let operand = a.parts(taps: taps, inputs: weights.rows / taps, rows: m)
    var arguments = tk_f32_gemm(
      m: m, n: weights.columns, taps: taps, cin: weights.rows / taps, a: operand.first,
      lda: operand.stride, rows: operand.pointers, row_offset: operand.offset,
      pad_row: operand.padding, run: operand.run, b: weights.memory, bias: epilogue.bias,
      residual: epilogue.residual, ldr: epilogue.residualStride, lo: epilogue.clamp.lowerBound,
      hi: epilogue.clamp.upperBound, c: result, ldc: stride)
    tk_run_f32_gemm(table, &arguments)
  }

  /// What becomes of an int32 sum, and where it goes. One value per column in each pointer; strides
  /// in elements.
  package enum SumOutput {
    /// The sum itself.
    case int32(UnsafeMutablePointer<Int32>, stride: Int)
    /// `clamp(roundHalfEven(Float(sum) * multiplier) + zeroPoint)`, bit-equal to ONNX Runtime.
    case uint8(
      UnsafeMutablePointer<UInt8>, stride: Int, multiplier: UnsafePointer<Float>,
      zeroPoint: Int32, clamp: ClosedRange<UInt8> = 0...255)
    /// `clamp(Float(sum) * multiplier + bias)`, two roundings.
    case float(
      UnsafeMutablePointer<Float>, stride: Int, multiplier: UnsafePointer<Float>,
      bias: UnsafePointer<Float>? = nil,
      clamp: ClosedRange<Float> = -Float.infinity...Float.infinity)

    fileprivate var memory: UnsafeMutableRawPointer {
      switch self {
      case .int32(let memory, _): UnsafeMutableRawPointer(memory)
      case .uint8(let memory, _, _, _, _): UnsafeMutableRawPointer(memory)
      case .float(let memory, _, _, _, _): UnsafeMutableRawPointer(memory)
      }
    }

    fileprivate var stride: Int {
      switch self {
      case .int32(_, let stride): stride
      case .uint8(_, let stride, _, _, _): stride
      case .float(_, let stride, _, _, _): stride
      }
    }
  }

  /// Integers that join a sum before it is converted: `sum + bias − weightZeroPoints × rowSum`.
  ///
  /// The activation's zero point belongs into the bias: `bias − za × columnSums (+ k × za × zw)`.
  package struct SumCorrection {
    package var bias: UnsafePointer<Int32>?
    /// For weights with zero points of their own; slower.
    package var weightZeroPoints: UnsafePointer<Int32>?

    package init(
      bias: UnsafePointer<Int32>? = nil, weightZeroPoints: UnsafePointer<Int32>? = nil
    ) {
      self.bias = bias
      self.weightZeroPoints = weightZeroPoints
    }
  }

  /// `output(A[m, taps × inputs] · weights + correction)`, on all threads.
  ///
  /// ``rowMargin`` bytes must be readable behind every row. Signed activations are given as code +
  /// 128.
  package static func multiply(
    _ a: Rows<UInt8>, rows m: Int, _ weights: PackedInt8Matrix,
    correction: SumCorrection = SumCorrection(), output: SumOutput
  ) {
    precondition(m >= 0, "\(m) rows")
    let operand = a.parts(taps: weights.taps, inputs: weights.inputs, rows: m)
    var arguments = tk_u8s8_gemm(
      m: m, n: weights.columns, taps: weights.taps, cin: weights.inputs, a: operand.first,
      lda: operand.stride, rows: operand.pointers, row_offset: operand.offset,
      pad_row: operand.padding, run: operand.run, b: weights.memory,
      out: epilogue(correction, output, columns: weights.columns))
    tk_run_u8s8_gemm(table, &arguments)
  }

  static func epilogue(
    _ correction: SumCorrection, _ output: SumOutput, columns: Int
  ) -> tk_epilogue {
    let infinity = Float.infinity
    var result = tk_epilogue(
      kind: TK_OUT_S32, c: output.memory, ldc: output.stride, bias: correction.bias,
      weight_zero: correction.weightZeroPoints, multiplier: nil, float_bias: nil, zero_point: 0,
      lo: 0, hi: 255, float_lo: -infinity, float_hi: infinity)
    switch output {
    case .int32: break
    case .uint8(_, _, let multiplier, let zeroPoint, let clamp):
      result.kind = TK_OUT_U8
      result.multiplier = multiplier
      result.zero_point = zeroPoint
      result.lo = Int32(clamp.lowerBound)
      result.hi = Int32(clamp.upperBound)
    case .float(_, _, let multiplier, let bias, let clamp):
      result.kind = TK_OUT_F32
      result.multiplier = multiplier
      result.float_bias = bias
      result.float_lo = clamp.lowerBound
      result.float_hi = clamp.upperBound
    }
    precondition(result.ldc >= columns, "\(columns) columns in rows of stride \(result.ldc)")
    return result
  }

  /// Depthwise convolution of 8-bit codes: `output(Σ over taps of pixel × weight + correction)`, on
  /// all threads.
  ///
  /// `pointers` holds, for each pixel and tap, the first of `channels` codes; `offset` and
  /// `padding` as in ``Rows``. Pixels come in runs of `run`, in which what lies under a column of
  /// taps lies under the column `step` to the left for the next pixel; 1 says nothing.
  package static func depthwise(
    _ pointers: UnsafePointer<UnsafePointer<UInt8>>, offset: Int = 0,
    padding: UnsafePointer<UInt8>? = nil, pixels: Int, run: Int = 1, step: Int = 1,
    _ weights: PackedDepthwise, correction: SumCorrection = SumCorrection(), output: SumOutput
  ) {
    precondition(pixels >= 0 && run > 0 && step > 0, "\(pixels) pixels, runs of \(run)")
    var arguments = tk_u8s8_depthwise(
      pixels: pixels, height: weights.height, width: weights.width, channels: weights.channels,
      run: run, step: step, rows: pointers, row_offset: offset, pad_row: padding,
      weights: weights.memory,
      out: epilogue(correction, output, columns: weights.channels))
    tk_run_u8s8_depthwise(table, &arguments)
  }

  /// Depthwise convolution in float: `clamp(Σ over taps of pixel × weights[tap, channel] + bias)`,
  /// on all threads.
  package static func depthwise(
    _ pointers: UnsafePointer<UnsafePointer<Float>>, offset: Int = 0,
    padding: UnsafePointer<Float>? = nil, pixels: Int, weights: UnsafePointer<Float>, taps: Int,
    channels: Int, bias: UnsafePointer<Float>? = nil,
    clamp: ClosedRange<Float> = -Float.infinity...Float.infinity,
    into result: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(pixels >= 0 && taps >= 0 && stride >= channels, "rows of stride \(stride)")
    var arguments = tk_f32_depthwise(
      pixels: pixels, taps: taps, channels: channels, rows: pointers, row_offset: offset,
      pad_row: padding, weights: weights, bias: bias, lo: clamp.lowerBound, hi: clamp.upperBound,
      c: result, ldc: stride)
    tk_run_f32_depthwise(table, &arguments)
  }
}
