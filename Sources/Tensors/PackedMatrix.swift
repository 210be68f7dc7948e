import CKernels

/// Weights of a float product, laid out once for the kernels; see
/// ``Kernels/multiply(_:_:_:into:stride:)``.
package final class PackedFloatMatrix: @unchecked Sendable {
  /// The length of the sum, `taps × inputs per tap` of a convolution.
  package let rows: Int
  /// The number of outputs.
  package let columns: Int
  private let storage: PackedMemory<Float>
  var memory: UnsafeMutablePointer<Float> { storage.start }

  /// Packs `B[rows, columns]` with the given row stride, or `[columns, rows]` where `transposed`
  /// (how weights are stored: `[out, in]`).
  package init(
    _ source: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int, transposed: Bool,
    in memory: WeightMemory? = nil
  ) {
    precondition(rows >= 0 && columns >= 0, "a matrix of \(rows) × \(columns)")
    precondition(stride >= (transposed ? rows : columns), "stride \(stride) is less than a row")
    self.rows = rows
    self.columns = columns
    storage = PackedMemory(tk_f32_packed_count(rows, columns), in: memory)
    repack(source, stride: stride, transposed: transposed)
  }

  /// Replaces the values; for second operands that are computed anew in every run. Allocates
  /// nothing.
  package func repack(_ source: UnsafePointer<Float>, stride: Int, transposed: Bool) {
    Kernels.table.pointee.f32_pack(source, rows, columns, stride, transposed, memory)
  }

  /// The bytes it holds.
  package var byteCount: Int { tk_f32_packed_count(rows, columns) * 4 }
}

/// Signed 8-bit weights of an integer product, laid out once for the kernels, with their column
/// sums.
package final class PackedInt8Matrix: @unchecked Sendable {
  /// Kernel positions of a convolution; 1 for a plain matrix.
  package let taps: Int
  /// Inputs per tap; the sum runs over `taps × inputs`.
  package let inputs: Int
  /// The number of outputs.
  package let columns: Int
  /// The sum of each column's codes: what a zero point of the activations is multiplied by.
  package let columnSums: [Int32]
  private let storage: PackedMemory<Int8>
  var memory: UnsafeMutablePointer<Int8> { storage.start }

  /// Packs `B[taps × inputs, columns]` with the given row stride, or `[columns, taps × inputs]`
  /// where `transposed`.
  package init(
    _ source: UnsafePointer<Int8>, taps: Int = 1, inputs: Int, columns: Int, stride: Int,
    transposed: Bool, in memory: WeightMemory? = nil
  ) {
    precondition(
      taps >= 0 && inputs >= 0 && columns >= 0, "a matrix of \(taps) × \(inputs) × \(columns)")
    precondition(
      stride >= (transposed ? taps * inputs : columns), "stride \(stride) is less than a row")
    self.taps = taps
    self.inputs = inputs
    self.columns = columns
    storage = PackedMemory(tk_u8s8_packed_count(taps, inputs, columns), in: memory)
    let packed = storage.start
    columnSums = [Int32](unsafeUninitializedCapacity: columns) { sums, count in
      Kernels.table.pointee.u8s8_pack(
        source, taps, inputs, columns, stride, transposed, packed, sums.baseAddress)
      count = columns
    }
  }

  /// The bytes it holds.
  package var byteCount: Int { tk_u8s8_packed_count(taps, inputs, columns) }
}

/// Signed 8-bit weights of a depthwise convolution, laid out once for the kernels.
package final class PackedDepthwise: @unchecked Sendable {
  /// Kernel rows and columns; a kernel of one row is held as one of one column, which is faster.
  package let height, width: Int
  /// Channels.
  package let channels: Int
  /// The sum over the taps of each channel's codes.
  package let channelSums: [Int32]
  private let storage: PackedMemory<Int8>
  var memory: UnsafeMutablePointer<Int8> { storage.start }

  /// Packs `[height, width, channels]`, dense.
  package init(
    _ source: UnsafePointer<Int8>, height: Int, width: Int, channels: Int,
    in memory: WeightMemory? = nil
  ) {
    precondition(
      height >= 0 && width >= 0 && channels >= 0, "a kernel of \(height) × \(width) × \(channels)")
    let (height, width) = height == 1 ? (width, height) : (height, width)
    (self.height, self.width) = (height, width)
    self.channels = channels
    storage = PackedMemory(tk_depthwise_packed_count(height, width, channels), in: memory)
    let packed = storage.start
    channelSums = [Int32](unsafeUninitializedCapacity: channels) { sums, count in
      Kernels.table.pointee.u8s8_depthwise_pack(
        source, height, width, channels, packed, sums.baseAddress)
      count = channels
    }
  }

  /// The bytes it holds.
  package var byteCount: Int { tk_depthwise_packed_count(height, width, channels) }
}
