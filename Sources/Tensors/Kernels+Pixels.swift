import CKernels

// Pooling, element-wise work on 8-bit codes, layout.

extension Kernels {
  /// The largest code of each channel over the taps of each pixel, on all threads.
  ///
  /// `pointers[pixel × taps + tap]` as in ``Rows``; taps in the padding may point at a row of 0 or
  /// at another tap.
  package static func maxPool(
    _ pointers: UnsafePointer<UnsafePointer<UInt8>>, offset: Int = 0,
    padding: UnsafePointer<UInt8>? = nil, pixels: Int, taps: Int, channels: Int,
    into result: UnsafeMutablePointer<UInt8>, stride: Int
  ) {
    precondition(taps >= 1 && stride >= channels, "\(taps) taps, stride \(stride)")
    pointers.withMemoryRebound(to: UnsafeRawPointer.self, capacity: pixels * taps) { rows in
      var arguments = tk_max_pool(
        pixels: pixels, taps: taps, channels: channels, rows: rows, row_offset: offset,
        pad_row: padding, c: result, ldc: stride)
      tk_run_max_pool_u8(table, &arguments)
    }
  }

  /// The same in float; padding is a row of −inf or another tap. A NaN wins.
  package static func maxPool(
    _ pointers: UnsafePointer<UnsafePointer<Float>>, offset: Int = 0,
    padding: UnsafePointer<Float>? = nil, pixels: Int, taps: Int, channels: Int,
    into result: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(taps >= 1 && stride >= channels, "\(taps) taps, stride \(stride)")
    pointers.withMemoryRebound(to: UnsafeRawPointer.self, capacity: pixels * taps) { rows in
      var arguments = tk_max_pool(
        pixels: pixels, taps: taps, channels: channels, rows: rows, row_offset: offset,
        pad_row: padding, c: result, ldc: stride)
      tk_run_max_pool_f32(table, &arguments)
    }
  }

  /// What the means of windows become: numbers, or codes `clamp(round(mean / scale + zeroPoint))`, xor `flip`.
  package enum Means {
    case numbers(UnsafeMutablePointer<Float>)
    case codes(
      UnsafeMutablePointer<UInt8>, scale: Float, zeroPoint: Int32, clamp: ClosedRange<Int32>,
      flip: UInt8)
  }

  /// The mean of each channel over the taps of each pixel, on all threads: the sum in the taps' order, divided by the pixel's
  /// divisor. Results are dense.
  ///
  /// `pointers[pixel × taps + tap]` as in ``Rows``; taps in the padding point at a row of zeros.
  package static func averagePool(
    _ pointers: UnsafePointer<UnsafePointer<Float>>, offset: Int = 0,
    padding: UnsafePointer<Float>? = nil, pixels: Int, taps: Int, channels: Int,
    divisors: UnsafePointer<Float>, into means: Means
  ) {
    var numbers: UnsafeMutablePointer<Float>?
    var codes: UnsafeMutablePointer<UInt8>?
    var (scale, zero, low, high, sign) = (Float(1), Float(0), Float(0), Float(0), UInt8(0))
    switch means {
    case .numbers(let target): numbers = target
    case .codes(let target, let step, let zeroPoint, let clamp, let flip):
      (codes, scale, zero, sign) = (target, step, Float(zeroPoint), flip)
      (low, high) = (Float(clamp.lowerBound), Float(clamp.upperBound))
    }
    var arguments = tk_average_pool(
      pixels: pixels, taps: taps, channels: channels, rows: pointers, row_offset: offset,
      pad_row: padding, divisors: divisors, means: numbers, codes: codes, scale: scale, zero: zero,
      lo: low, hi: high, flip: sign)
    tk_run_average_pool(table, &arguments)
  }

  /// `x / (bias + factor × sum of size neighbours' squares)^beta` for each row of `[rows, channels]`, on all threads. Not in
  /// place.
  package static func normalizeResponses(
    _ x: UnsafePointer<Float>, rows: Int, channels: Int, size: Int, factor: Float, beta: Float,
    bias: Float, into y: UnsafeMutablePointer<Float>
  ) {
    precondition((1...1 << 16).contains(size), "\(size) neighbours")
    var arguments = tk_response_norm(
      rows: rows, channels: channels, size: size, factor: factor, beta: beta, bias: bias, x: x,
      y: y)
    tk_run_response_norm(table, &arguments)
  }

  /// `y[p, c, r] = x[p, r, c]`: deals the channels of each pixel, in `groups` of `size`, out like cards. Not in place.
  package static func shuffle(
    _ x: UnsafePointer<UInt8>, pixels: Int, groups: Int, size: Int,
    into y: UnsafeMutablePointer<UInt8>
  ) { table.pointee.shuffle_8(x, pixels, groups, size, y) }

  /// The same for numbers.
  package static func shuffle(
    _ x: UnsafePointer<Float>, pixels: Int, groups: Int, size: Int,
    into y: UnsafeMutablePointer<Float>
  ) {
    let count = pixels * groups * size
    x.withMemoryRebound(to: UInt32.self, capacity: count) { x in
      y.withMemoryRebound(to: UInt32.self, capacity: count) { y in
        table.pointee.shuffle_32(x, pixels, groups, size, y)
      }
    }
  }

  /// The sum over the pixels of each channel of `[pixels, channels]`.
  package static func sumPixels(
    _ x: UnsafePointer<UInt8>, pixels: Int, channels: Int, stride: Int,
    into sums: UnsafeMutablePointer<Int32>
  ) { table.pointee.sum_pixels_u8(x, pixels, channels, stride, sums) }

  /// The sum over the pixels of each channel of `[pixels, channels]`, in ascending order.
  package static func sumPixels(
    _ x: UnsafePointer<Float>, pixels: Int, channels: Int, stride: Int,
    into sums: UnsafeMutablePointer<Float>
  ) { table.pointee.sum_pixels_f32(x, pixels, channels, stride, sums) }

  /// The sum of each row of `[rows, count]`.
  package static func sumRows(
    _ x: UnsafePointer<UInt8>, rows: Int, count: Int, stride: Int,
    into sums: UnsafeMutablePointer<Int32>
  ) { table.pointee.sum_rows_u8(x, rows, count, stride, sums) }
}

// MARK: - Codes

extension Kernels {
  /// One 8-bit operand's meaning: `real = scale × (code − zeroPoint)`.
  package typealias Affine = (scale: Float, zeroPoint: Int32)

  private static func cast(_ q: Affine) -> tk_quant {
    tk_quant(scale: q.scale, zero_point: q.zeroPoint)
  }

  /// `a + b` of 8-bit codes, computed in float32 and quantized anew, bit-equal to ONNX Runtime's
  /// QLinearAdd. `offset`: 128 where the codes are signed ones with 128 added, which decides where ties go.
  package static func add(
    _ a: UnsafePointer<UInt8>, _ qa: Affine, _ b: UnsafePointer<UInt8>, _ qb: Affine,
    _ y: UnsafeMutablePointer<UInt8>, _ qy: Affine, offset: Int32 = 0, count: Int
  ) { table.pointee.add_u8(a, cast(qa), b, cast(qb), y, cast(qy), offset, count) }

  /// `a × b` of 8-bit codes, bit-equal to ONNX Runtime's QLinearMul; `offset` as for a sum.
  package static func multiply(
    _ a: UnsafePointer<UInt8>, _ qa: Affine, _ b: UnsafePointer<UInt8>, _ qb: Affine,
    _ y: UnsafeMutablePointer<UInt8>, _ qy: Affine, offset: Int32 = 0, count: Int
  ) { table.pointee.mul_u8(a, cast(qa), b, cast(qb), y, cast(qy), offset, count) }

  /// `y[i] = lookup[x[i]]`; `lookup` has 256 entries. Any function of one 8-bit code is this.
  package static func map(
    _ x: UnsafePointer<UInt8>, through lookup: UnsafePointer<UInt8>,
    _ y: UnsafeMutablePointer<UInt8>, count: Int
  ) { table.pointee.lookup_u8(x, lookup, y, count) }

  /// Clamps codes.
  package static func clamp(
    _ x: UnsafePointer<UInt8>, _ y: UnsafeMutablePointer<UInt8>, count: Int,
    to range: ClosedRange<UInt8>
  ) { table.pointee.clamp_u8(x, y, count, range.lowerBound, range.upperBound) }

  /// Adds 128 modulo 256: signed codes to unsigned and back.
  package static func flipSign(
    _ x: UnsafePointer<UInt8>, _ y: UnsafeMutablePointer<UInt8>, count: Int
  ) { table.pointee.flip_sign(x, y, count) }
}

// MARK: - Layout

extension Kernels {
  /// `y[c, r] = x[r, c]` for elements of 1, 2, 4 or 8 bytes; strides in elements; not in place.
  ///
  /// NCHW to NHWC is `rows` = channels, `columns` = pixels, once for each image.
  package static func transpose(
    _ x: UnsafeRawPointer, rows: Int, columns: Int, stride: Int, into y: UnsafeMutableRawPointer,
    stride yStride: Int, elementSize: Int
  ) {
    precondition(stride >= columns && yStride >= rows, "strides \(stride) and \(yStride)")
    switch elementSize {
    case 1: table.pointee.transpose_8(x, rows, columns, stride, y, yStride)
    case 2: table.pointee.transpose_16(x, rows, columns, stride, y, yStride)
    case 4: table.pointee.transpose_32(x, rows, columns, stride, y, yStride)
    case 8: table.pointee.transpose_64(x, rows, columns, stride, y, yStride)
    default: preconditionFailure("no transpose of \(elementSize)-byte elements")
    }
  }
}
