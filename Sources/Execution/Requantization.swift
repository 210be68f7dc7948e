import Graphs
import Tensors

/// What becomes of int32 sums of products of codes.
enum Requantization {
  /// Sums of products of codes less their zero points, by the operators of whole numbers.
  static func sums(
    _ a: Tensor, _ b: Tensor, zeroPoints: (a: Tensor?, b: Tensor?), _ call: OperatorCall
  ) throws -> Tensor {
    try run(MatMulInteger(), [a, b, zeroPoints.a, zeroPoints.b], call)
  }

  /// The single output of another operator.
  static func run(
    _ decoded: any Operator, _ inputs: [Tensor?], _ call: OperatorCall
  ) throws -> Tensor {
    guard let function = OperatorFunctions.all[type(of: decoded).name] else {
      preconditionFailure("\(type(of: decoded).name) has no function")
    }
    let inner = OperatorCall(
      inputs: inputs, outputCount: 1, pool: call.pool, opsets: call.opsets, scope: call.scope)
    return try function.run(decoded, inner)[0]
  }

  /// `clamp(round(Float(sum) × multiplier) + zeroPoint)`, to nearest even, in float32.
  ///
  /// There is one multiplier, or one per index of the axis that has `inner` elements inside of it.
  static func codes(
    _ sums: Tensor, multipliers: [Float], inner: Int, zeroPoint: Int, to type: ElementType,
    _ call: OperatorCall
  ) throws -> Tensor {
    guard let range = type.integerRange, type.bitWidth == 8 else {
      throw ExecutionError(.unsupported, "a result of \(type) is not supported")
    }
    let low = Float(range.lowerBound - zeroPoint)
    let high = Float(range.upperBound - zeroPoint)
    return map(sums, multipliers, inner, call, UInt8.self) { sum, multiplier in
      let rounded = (Float(sum) * multiplier).rounded(.toNearestOrEven)
      guard rounded > low else { return UInt8(truncatingIfNeeded: range.lowerBound) }
      return UInt8(truncatingIfNeeded: Int32(min(rounded, high)) + Int32(zeroPoint))
    }.reinterpreted(as: type)
  }

  /// `Float(sum) × multiplier`; multipliers as in ``codes(_:multipliers:inner:zeroPoint:to:_:)``.
  static func numbers(
    _ sums: Tensor, multipliers: [Float], inner: Int, _ call: OperatorCall
  ) -> Tensor {
    map(sums, multipliers, inner, call, Float.self) { Float($0) * $1 }
  }

  @inline(__always)
  private static func map<Result: TensorElement>(
    _ sums: Tensor, _ multipliers: [Float], _ inner: Int, _ call: OperatorCall, _: Result.Type,
    _ function: (Int32, Float) -> Result
  ) -> Tensor {
    let run = multipliers.count == 1 ? max(sums.count, 1) : inner
    return sums.withElements(of: Int32.self) { source in
      call.output(sums.shape, of: Result.self) { target in
        for start in stride(from: 0, to: source.count, by: max(run, 1)) {
          let multiplier = multipliers[start / run % multipliers.count]
          for index in start..<min(start + run, source.count) {
            target[index] = function(source[index], multiplier)
          }
        }
      }
    }
  }

  /// Sums plus one number per index of the axis that has `inner` elements inside of it, or one for all; they wrap around.
  static func adding(
    _ bias: [Int], inner: Int, to sums: Tensor, _ call: OperatorCall
  ) -> Tensor {
    var sums = sums
    sums.withMutableElements(of: Int32.self) { values in
      for index in values.indices {
        values[index] &+= Int32(truncatingIfNeeded: bias[index / inner % bias.count])
      }
    }
    return sums
  }
}
