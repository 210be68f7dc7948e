import Foundation
import Graphs
import Tensors

/// The functions of the operators that compute codes from codes by way of the numbers that they stand for.
let quantizedElementwiseFunctions: [OperatorFunction] = [
  .quantizedBinary(QLinearAdd.self) { $0 + $1 }, .quantizedBinary(QLinearMul.self) { $0 * $1 },
  OperatorFunction(QLinearConcat.self, single: quantizedConcat),
  .quantizedUnary(QLinearSigmoid.self) { _, x, call in
    try mapped(x, call) { 1 / (1 + exp(-$0)) }
  },
  .quantizedUnary(QLinearLeakyRelu.self) { op, x, call in
    try mapped(x, call) { $0 < 0 ? $0 * op.slope : $0 }
  },
  .quantizedUnary(QLinearSoftmax.self, softmax),
  .quantizedUnary(QLinearAveragePool.self) { op, x, call in
    try pooled(x, op.pool, op.channelsLast, call)
  },
  .quantizedUnary(QLinearGlobalAveragePool.self) { op, x, call in
    try pooled(x, GlobalAveragePool(), op.channelsLast, call)
  },
]

extension OperatorFunction {
  fileprivate static func quantizedBinary<Op: QuantizedBinaryOperator>(
    _ type: Op.Type, _ function: @escaping @Sendable (Float, Float) -> Float
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { op, call in
        _ = try call.outputShape(of: op)
        let a = try call.dequantized(0, scale: 1, zeroPoint: 2)
        let b = try call.dequantized(3, scale: 4, zeroPoint: 5)
        let result = try Elementwise.combine(a, b, call, Float.self, Float.self, Float.self) {
          Elementwise.row($0, $1, $2, $3, $4, $5, function)
        }
        return try call.quantized(
          result, scale: 6, zeroPoint: 7, to: try call.input(0).elementType)
      })
  }

  fileprivate static func quantizedUnary<Op: QuantizedUnaryOperator>(
    _ type: Op.Type, _ function: @escaping @Sendable (Op, Tensor, OperatorCall) throws -> Tensor
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { op, call in
        _ = try call.outputShape(of: op)
        let x = try call.dequantized(0, scale: 1, zeroPoint: 2)
        return try call.quantized(
          try function(op, x, call), scale: 3, zeroPoint: 4, to: try call.input(0).elementType)
      })
  }
}

private func mapped(
  _ x: Tensor, _ call: OperatorCall, _ function: (Float) -> Float
) throws -> Tensor {
  Elementwise.map(x, call, Float.self, Float.self) { source, target, count in
    for index in 0..<count { target[index] = function(source[index]) }
  }
}

private func quantizedConcat(_ op: QLinearConcat, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let type = try call.input(1).elementType
  let parts = try stride(from: 2, to: call.inputs.count, by: 3).map { index in
    try call.quantized(
      try call.dequantized(index, scale: index + 1, zeroPoint: index + 2), scale: 0, zeroPoint: 1,
      to: type)
  }
  return try Joining.concat(parts, axis: op.axis, shape: shape, call)
}

private func softmax(_ op: QLinearSoftmax, _ x: Tensor, _ call: OperatorCall) throws -> Tensor {
  let axis = try ShapeRules.axis(op.axis, rank: x.shape.rank)
  var reader = AttributeReader(["axis": .int(op.flattens ? 1 : axis)], opset: 13)
  let float = try Softmax(&reader)
  guard op.flattens else { return try Requantization.run(float, [x], call) }
  let rows: Shape = [x.shape.count(in: 0..<axis), x.shape.count(in: axis..<x.shape.rank)]
  return try Requantization.run(float, [x.reshaped(to: rows)], call).reshaped(to: x.shape)
}

private func pooled(
  _ x: Tensor, _ pool: any Operator, _ channelsLast: Bool, _ call: OperatorCall
) throws -> Tensor {
  guard channelsLast else { return try Requantization.run(pool, [x], call) }
  let rank = x.shape.rank
  let inward = [0, rank - 1] + Array(1..<(rank - 1))
  let outward = [0] + Array(2..<rank) + [1]
  let first = try Requantization.run(try Transpose.by(inward), [x], call)
  return try Requantization.run(
    try Transpose.by(outward), [try Requantization.run(pool, [first], call)], call)
}

extension Transpose {
  /// The operator for a given order of axes.
  fileprivate static func by(_ permutation: [Int]) throws -> Transpose {
    var reader = AttributeReader(["perm": .ints(permutation)], opset: 13)
    return try Transpose(&reader)
  }
}
