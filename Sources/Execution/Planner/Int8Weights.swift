import Graphs
import Tensors

/// Constant weights as signed codes, with one scale and zero point per output.
struct Int8Weights {
  private let constant: Tensor
  let outputs: Int
  private let scales: [Float]
  private let zeroPoints: [Int32]

  /// Nil where there are no codes, or they are of more than 8 bits, or their scales vary along another axis than `axis`.
  init?(_ constant: PlanBuilder.ConstantCodes?, outputs: Int, axis: Int) {
    guard let constant, constant.scales.count == 1 || constant.axis == axis,
      [1, outputs].contains(constant.scales.count)
    else { return nil }
    switch constant.codes.elementType {
    case .int8:
      zeroPoints = constant.zeroPoints.map { Int32($0) }
    case .uint8:
      zeroPoints = constant.zeroPoints.map { Int32($0) - 128 }
    case .int4, .uint4, .int2, .uint2:
      zeroPoints = constant.zeroPoints.map { Int32($0) }
    default: return nil
    }
    self.constant = constant.codes
    scales = constant.scales
    self.outputs = outputs
  }

  /// The codes in the constant's own order; unsigned bytes with 128 taken off.
  private var codes: [Int8] {
    switch constant.elementType {
    case .int8: constant.elements(of: Int8.self)
    case .uint8: constant.elements(of: UInt8.self).map { Int8(bitPattern: $0 ^ 0x80) }
    default: constant.integers().map { Int8($0) }
    }
  }

  /// The scale of one output's codes.
  func scale(_ output: Int) -> Float { scales.count == 1 ? scales[0] : scales[output] }

  /// The zero point of each output's codes; nil where all are 0.
  var outputZeroPoints: [Int32]? {
    zeroPoints.contains { $0 != 0 } ? (0..<outputs).map { zeroPoint($0) } : nil
  }

  private func zeroPoint(_ output: Int) -> Int32 {
    zeroPoints.count == 1 ? zeroPoints[0] : zeroPoints[output]
  }

  /// How sums become what they are stored as: `float32(sx · sw[c] / sy)`, from left to right, as ONNX Runtime.
  ///
  /// `sums` are the sums of each output's codes, `length` how many there are in each.
  func scaling(
    _ bias: [Int32], _ input: PlanBuilder.Codes, _ output: PlanBuilder.QuantizedOutput?,
    sums: [Int32], length: Int
  ) -> SumScaling {
    let inputZero = input.unsignedZeroPoint
    let corrected = (0..<outputs).map { channel in
      bias[channel] &- inputZero &* sums[channel]
        &+ Int32(length) &* inputZero &* zeroPoint(channel)
    }
    let multipliers = (0..<outputs).map { channel in
      let product = input.scale * scale(channel)
      return output.map { product / $0.codes.scale } ?? product
    }
    return SumScaling(
      bias: corrected,
      weightZeroPoints: outputZeroPoints,
      multipliers: multipliers, output: output)
  }

  /// Laid out for a convolution: `[out, in, taps]` becomes `[out, taps, in]`, one product per group.
  func convolution(_ g: ConvolutionGeometry, in memory: WeightMemory) -> [PackedInt8Matrix] {
    let length = g.groupInputs * g.taps
    let taps = g.productTaps
    return codes.withUnsafeBufferPointer { codes in
      (0..<g.groups).map { group in
        var rows: [Int8] = []
        rows.reserveCapacity(length * g.groupOutputs)
        for output in 0..<g.groupOutputs {
          let start = (group * g.groupOutputs + output) * length
          rows += transposed(
            UnsafeBufferPointer(rebasing: codes[start..<start + length]), rows: g.groupInputs,
            columns: g.taps)
        }
        return PackedInt8Matrix(
          rows, taps: taps, inputs: length / taps, columns: g.groupOutputs, stride: length,
          transposed: true, in: memory)
      }
    }
  }

  /// Laid out for a depthwise convolution: `[channels, taps]` becomes `[taps, channels]`.
  func depthwise(_ g: ConvolutionGeometry, in memory: WeightMemory) -> PackedDepthwise {
    codes.withUnsafeBufferPointer { codes in
      PackedDepthwise(
        transposed(codes, rows: g.outputChannels, columns: g.taps), height: g.axes[0].kernel,
        width: g.axes[1].kernel, channels: g.outputChannels, in: memory)
    }
  }

  /// Laid out for a product: `[inputs, outputs]`, or `[outputs, inputs]` where `transposed`.
  func matrix(inputs: Int, transposed: Bool, in memory: WeightMemory) -> PackedInt8Matrix {
    PackedInt8Matrix(
      codes, inputs: inputs, columns: outputs, stride: transposed ? inputs : outputs,
      transposed: transposed, in: memory)
  }
}
