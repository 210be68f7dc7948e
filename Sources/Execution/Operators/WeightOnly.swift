import Graphs
import NumberFormats
import Tensors

/// The functions of the operators whose weights are packed codes and whose activations are numbers.
let weightOnlyFunctions: [OperatorFunction] = [
  OperatorFunction(MatMulNBits.self, single: blockProduct),
  OperatorFunction(MatMulBnb4.self, single: tableProduct).widening(except: 2),
  OperatorFunction(GatherBlockQuantized.self, single: gatherBlocks),
]

/// `A[rows, inner] · Wᵀ` under `shape`, in float32, with weights [columns, inner].
private func product(
  _ a: Tensor, _ weights: Tensor, inner: Int, columns: Int, _ shape: Shape, _ call: OperatorCall
) -> Tensor {
  a.withElements(of: Float.self) { a in
    weights.withElements(of: Float.self) { w in
      call.output(shape, of: Float.self) { y in
        guard let a = a.baseAddress, let w = w.baseAddress, let to = y.baseAddress else { return }
        MatrixProduct.multiply(
          .init(elements: a), .init(elements: w, isTransposed: true), rows: shape.count / columns,
          inner: inner, columns: columns, into: to)
      }
    }
  }
}

// MARK: - MatMulNBits

extension OperatorCall {
  /// An input in float32.
  fileprivate func floats(at index: Int) throws -> Tensor {
    try Casting.cast(try input(index), to: .float32, self)
  }
}

private func blockProduct(_ op: MatMulNBits, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let elementType = try call.input(0).elementType
  let a = try call.input(0).widened()
  let weights = BlockWeights(
    op, try call.input(1), try call.floats(at: 2),
    zeroPoints: try call[3].map { $0.elementType == .uint8 ? $0 : try call.floats(at: 3) })
  var result =
    weights.roundsActivations
    ? weights.roundedProduct(a, shape, call)
    : product(
      a, try weights.numbers(call), inner: op.inner, columns: op.outputs, shape, call)
  if call.has(5) {
    let bias = try call.scales(5)
    result.withMutableElements(of: Float.self) { values in
      for index in values.indices { values[index] += bias[index % op.outputs] }
    }
  }
  return result.rounded(to: elementType)
}

// MARK: - MatMulBnb4

extension MatMulBnb4 {
  /// What the codes stand for, times the greatest magnitude of their block.
  ///
  /// NormalFloat: Dettmers et al., "QLoRA", 2023, appendix E. Floating point: sign, two bits of exponent, one of fraction.
  fileprivate var table: [Float] {
    isNormalFloat
      ? [
        -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
        -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
        0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
        0.7229568362236023, 1,
      ]
      : [
        0, 0.005208333333, 0.6666666667, 1, 0.3333333333, 0.5, 0.1666666667, 0.25,
        -0, -0.005208333333, -0.6666666667, -1, -0.3333333333, -0.5, -0.1666666667, -0.25,
      ]
  }
}

private func tableProduct(_ op: MatMulBnb4, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let magnitudes = try call.scales(2)
  let table = op.table
  let weights = try call.output(
    OperatorCall.shape([op.outputs, op.inner], .float32), of: Float.self
  ) { target in
    let to = target.baseAddress
    try call.input(1).withElements(of: UInt8.self) { bytes in
      Elementwise.forEachChunk(target.count) { range in
        for index in range {
          let code = index % 2 == 0 ? bytes[index / 2] >> 4 : bytes[index / 2] & 15
          to![index] = table[Int(code)] * magnitudes[index / op.blockSize]
        }
      }
    }
  }
  return product(
    try call.input(0).widened(), weights, inner: op.inner, columns: op.outputs, shape, call)
}

// MARK: - GatherBlockQuantized

private func gatherBlocks(_ op: GatherBlockQuantized, _ call: OperatorCall) throws -> Tensor {
  let (data, scales) = (try call.input(0), try call.input(2))
  let shape = try call.outputShape(of: op)
  let gather = try ShapeRules.axis(op.gatherAxis, rank: data.shape.rank)
  let quantize = try ShapeRules.axis(op.quantizeAxis, rank: data.shape.rank)
  let indices = try call.input(1).indices(below: data.shape[gather])
  /// The slices that are asked for, put where the axis was.
  func slices(_ x: Tensor) throws -> Tensor {
    var lengths = x.shape.dimensions
    lengths[gather] = indices.count
    return try Gathering.slices(
      of: x, axis: gather, at: indices, try OperatorCall.shape(lengths, x.elementType), call)
  }
  let codes = try op.codes(try slices(data))
  let blocks = try slices(scales)
  let zeroPoints = try op.zeroPoints(try call[3].map(slices), blocks, data.elementType, call)
  let numbers = try LinearQuantization.dequantize(
    codes, scale: try Casting.cast(blocks, to: .float32, call).elements(of: Float.self),
    zeroPoint: zeroPoints, .perBlock(axis: quantize, size: op.blockSize), call)
  return try Casting.cast(numbers, to: scales.elementType, call).reshaped(to: shape)
}

extension GatherBlockQuantized {
  /// Packed codes as one byte each; other codes as they are.
  fileprivate func codes(_ packed: Tensor) throws -> Tensor {
    guard packed.elementType == .uint8, bits < 8 else { return packed }
    let perByte = 8 / bits
    let mask = UInt8((1 << bits) - 1)
    var lengths = packed.shape.dimensions
    lengths[lengths.count - 1] *= perByte
    return packed.withElements(of: UInt8.self) { bytes in
      Tensor(Shape(lengths), of: UInt8.self) { target in
        for index in target.indices {
          target[index] = bytes[index / perByte] >> UInt8(index % perByte * bits) & mask
        }
      }
    }
  }

  /// One zero point per scale: where uint8 data holds them packed, a row's last byte may be filled up.
  fileprivate func zeroPoints(
    _ given: Tensor?, _ scales: Tensor, _ type: ElementType, _ call: OperatorCall
  ) throws -> Tensor? {
    guard let given else {
      guard type == .uint8 else { return nil }
      return Tensor(
        [UInt8](repeating: 1 << UInt8(bits - 1), count: scales.count), shape: scales.shape)
    }
    let codes = try codes(given)
    if codes.shape == scales.shape { return codes }
    guard codes.shape.rank == scales.shape.rank, codes.shape.rank > 0,
      codes.shape.dimensions.dropLast() == scales.shape.dimensions.dropLast(),
      codes.shape[-1] >= scales.shape[-1]
    else {
      throw ExecutionError(
        .invalidInput, "zero points are \(given); must be one for each of the scales \(scales)")
    }
    return try StridedCopy.view(of: codes, scales.shape, strides: codes.shape.strides, call)
  }
}
