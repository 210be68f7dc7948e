import Graphs
import Tensors

/// Weights [outputs, blocks, block size] of a `MatMulNBits`, of which each block has a scale and a zero point.
struct BlockWeights: Sendable {
  let op: MatMulNBits
  /// Lowest bits first.
  private let codes: Tensor
  /// [outputs, blocks], as are the zero points.
  private let scales: [Float]
  private let zeroPoints: [Float]
  private let hasIntegerZeroPoints: Bool

  /// - Parameters:
  ///   - op: says how the codes lie.
  ///   - codes: packed bytes.
  ///   - scales: one float32 per block.
  ///   - zeroPoints: uint8, packed as the codes, or one float32 per block; nil for the middle code.
  init(_ op: MatMulNBits, _ codes: Tensor, _ scales: Tensor, zeroPoints: Tensor?) {
    self.op = op
    self.codes = codes
    self.scales = scales.elements(of: Float.self)
    hasIntegerZeroPoints = zeroPoints.map { $0.elementType == .uint8 } ?? true
    let blocks = op.blockCount
    guard let zeroPoints else {
      self.zeroPoints = [Float](repeating: Float(1 << (op.bits - 1)), count: op.outputs * blocks)
      return
    }
    guard zeroPoints.elementType == .uint8 else {
      self.zeroPoints = zeroPoints.elements(of: Float.self)
      return
    }
    let row = (blocks * op.bits + 7) / 8
    let perByte = 8 / op.bits
    self.zeroPoints = zeroPoints.withElements(of: UInt8.self) { bytes in
      (0..<op.outputs * blocks).map { index in
        let (output, block) = (index / blocks, index % blocks)
        return Float(
          BlockWeights.code(bytes[output * row + block / perByte], block % perByte, op.bits))
      }
    }
  }

  /// Whether activations are rounded to 8 bits; zero points that are not codes leave them as they are.
  var roundsActivations: Bool { op.quantizesActivations && hasIntegerZeroPoints }

  @inline(__always)
  private static func code(_ byte: UInt8, _ place: Int, _ bits: Int) -> Int32 {
    Int32(byte >> UInt8(place * bits)) & Int32((1 << bits) - 1)
  }

  /// Codes of 4 bits, laid out for their kernel.
  func packed(in memory: WeightMemory?) -> PackedInt4Matrix {
    precondition(op.bits == 4, "codes of \(op.bits) bits")
    let (inner, rowBytes) = (op.inner, op.blockCount * op.blockSize / 2)
    return codes.withElements(of: UInt8.self) { bytes in
      nonisolated(unsafe) let bytes = bytes
      return PackedInt4Matrix(
        rows: inner, columns: op.outputs, groupSize: op.blockSize, scales: scales,
        zeroPoints: zeroPoints.allSatisfy { $0 == 8 } ? nil : zeroPoints, in: memory
      ) { column, target in
        let row = bytes.baseAddress! + column * rowBytes
        for index in 0..<inner / 2 {
          target[2 * index] = row[index] & 15
          target[2 * index + 1] = row[index] >> 4
        }
        if inner % 2 == 1 { target[inner - 1] = row[inner / 2] & 15 }
      }
    }
  }

  /// Calls `body` with the codes of each row of weights, of whole blocks, on several threads.
  private func forEachRow(_ body: (Int, UnsafeBufferPointer<Int32>) -> Void) {
    let length = op.blockCount * op.blockSize
    let perByte = 8 / op.bits
    codes.withElements(of: UInt8.self) { bytes in
      parallelFor(op.outputs) { output in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: length) { row in
          let first = output * length / perByte
          for index in 0..<length {
            row[index] = BlockWeights.code(
              bytes[first + index / perByte], index % perByte, op.bits)
          }
          body(output, UnsafeBufferPointer(row))
        }
      }
    }
  }

  /// The weights as numbers, [outputs, inner].
  func numbers(_ call: OperatorCall) throws -> Tensor {
    try call.output(OperatorCall.shape([op.outputs, op.inner], .float32), of: Float.self) {
      target in
      guard let to = target.baseAddress else { return }
      forEachRow { output, row in
        for index in 0..<op.inner {
          let block = output * op.blockCount + index / op.blockSize
          to[output * op.inner + index] = (Float(row[index]) - zeroPoints[block]) * scales[block]
        }
      }
    }
  }

  /// The product with activations rounded to 8 bits per row and block. The exact integer of each block, times both scales, joins
  /// a sum of floats in one rounding, from the first block on.
  func roundedProduct(_ a: Tensor, _ shape: Shape, _ call: OperatorCall) -> Tensor {
    let rows = shape.count / op.outputs
    let (blocks, length) = (op.blockCount, op.blockCount * op.blockSize)
    let rounded = RoundedActivations(a, op, rows: rows)
    return call.output(shape, of: Float.self) { target in
      guard let to = target.baseAddress else { return }
      forEachRow { output, weights in
        for row in 0..<rows {
          var result: Float = 0
          for block in 0..<blocks {
            let zero = Int32(zeroPoints[output * blocks + block])
            let first = block * op.blockSize
            var sum: Int32 = 0
            for index in first..<first + op.blockSize {
              sum &+= rounded.codes[row * length + index] &* (weights[index] &- zero)
            }
            let scale = rounded.scales[row * blocks + block] * scales[output * blocks + block]
            result.addProduct(scale, Float(sum))
          }
          to[row * op.outputs + output] = result
        }
      }
    }
  }
}

/// Rows of numbers as codes −127…127 with a scale for each block: `greatest magnitude / 127`, to nearest even.
///
/// Where the scale is zero or infinite the codes are zero; a NaN makes it NaN.
private struct RoundedActivations {
  /// [rows, blocks, block size], zero past the end of a row.
  var codes: [Int32]
  /// [rows, blocks].
  var scales: [Float]

  init(_ a: Tensor, _ op: MatMulNBits, rows: Int) {
    let (blocks, length) = (op.blockCount, op.blockCount * op.blockSize)
    codes = [Int32](repeating: 0, count: rows * length)
    scales = [Float](repeating: 0, count: rows * blocks)
    a.withElements(of: Float.self) { a in
      for row in 0..<rows {
        for block in 0..<blocks {
          let first = block * op.blockSize
          let elements = first..<min(first + op.blockSize, op.inner)
          let values = elements.lazy.map { a[row * op.inner + $0] }
          let greatest = values.reduce(Float(0)) {
            $1.isNaN || $0.isNaN ? .nan : max($0, $1.magnitude)
          }
          let scale = greatest / 127
          scales[row * blocks + block] = scale
          guard scale > 0, scale.isFinite else { continue }
          for (index, value) in zip(elements, values) {
            let code = (value / scale).rounded(.toNearestOrEven)
            codes[row * length + index] = Int32(min(max(code, -127), 127))
          }
        }
      }
    }
  }
}
