import Graphs
import Tensors

/// The codes of an 8-bit tensor, less their zero points, as int32.
///
/// Zero points are one number, or one per index of `axis` of the tensor, negative counting from the innermost; absent they
/// are 0. Throws ``ExecutionError`` where they are of another type or number.
func centeredCodes(
  _ x: Tensor, _ zeroPoint: Tensor?, axis: Int, _ call: OperatorCall
) throws -> Tensor {
  guard x.elementType == .int8 || x.elementType == .uint8 else {
    throw ExecutionError(.invalidInput, "codes are \(x); must be int8 or uint8")
  }
  if let zeroPoint, zeroPoint.elementType != x.elementType {
    throw ExecutionError(
      .invalidInput, "the zero point is \(zeroPoint); must be \(x.elementType) as the codes")
  }
  let zeros = zeroPoint?.integers() ?? [0]
  let axis = x.shape.rank == 0 ? 0 : try ShapeRules.axis(axis, rank: x.shape.rank)
  var (length, inner) = (1, max(x.count, 1))
  if zeros.count != 1 {
    guard x.shape.rank > 0, zeros.count == x.shape[axis] else {
      throw ExecutionError(
        .invalidInput,
        "\(zeros.count) zero points for \(x); must be 1, or one per index of axis \(axis)")
    }
    (length, inner) = (zeros.count, x.shape.count(in: (axis + 1)..<x.shape.rank))
  }
  let codes = x.elementType == .int8 ? x : x.reinterpreted(as: .int8)
  let isSigned = x.elementType == .int8
  return codes.withElements(of: Int8.self) { codes in
    call.output(x.shape, of: Int32.self) { y in
      for start in stride(from: 0, to: codes.count, by: inner) {
        let zero = Int32(zeros[start / inner % length])
        for i in start..<(start + inner) {
          let code = isSigned ? Int32(codes[i]) : Int32(UInt8(bitPattern: codes[i]))
          y[i] = code - zero
        }
      }
    }
  }
}
