import Graphs
import Tensors

/// The functions of the operators that turn numbers into codes and back.
let quantizationFunctions: [OperatorFunction] = [
  OperatorFunction(QuantizeLinear.self, single: quantizeLinear),
  OperatorFunction(DequantizeLinear.self, single: dequantizeLinear),
  OperatorFunction(
    MicrosoftQuantizeLinear.self, single: { op, call in try quantizeLinear(op.standard, call) }),
  OperatorFunction(
    MicrosoftDequantizeLinear.self,
    single: { op, call in try dequantizeLinear(op.standard, call) }),
  OperatorFunction(DynamicQuantizeLinear.self) { op, call in
    _ = try call.outputTypes(of: op)
    let (codes, scale, zero) = try dynamicallyQuantized(try call.input(0), call)
    return [codes, Tensor(scalar: scale), Tensor(scalar: UInt8(zero))]
  },
]

private func quantizeLinear(_ op: QuantizeLinear, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let scale = try call.input(1)
  _ = try call.outputTypes(of: op)
  let type = call[2]?.elementType ?? op.outputType
  return try LinearQuantization.quantize(
    try Casting.cast(x, to: .float32, call), scale: try call.scales(1),
    zeroPoint: type.isFloatingPoint ? nil : try call.integers(2),
    try op.sharing.layout(x.shape, scale: scale.shape), to: type, saturates: op.saturates, call)
}

private func dequantizeLinear(_ op: DequantizeLinear, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let scale = try call.input(1)
  _ = try call.outputTypes(of: op)
  let numbers = try LinearQuantization.dequantize(
    x, scale: try call.scales(1), zeroPoint: call[2],
    try op.sharing.layout(x.shape, scale: scale.shape), call)
  return try Casting.cast(numbers, to: op.outputType ?? scale.elementType, call)
}

/// Codes of 8 bits whose scale and zero point fit the range of x, widened to contain 0.
///
/// Throws ``ExecutionError`` where x holds NaN or infinity.
func dynamicallyQuantized(
  _ x: Tensor, _ call: OperatorCall
) throws -> (codes: Tensor, scale: Float, zeroPoint: Int) {
  guard x.count > 0 else { return (call.output(x.shape, .uint8) { _ in }, 1, 0) }
  let (scale, zero) = try dynamicScale(
    x.withElements(of: Float.self) { Kernels.range($0.baseAddress!, count: $0.count) })
  let codes = try LinearQuantization.quantize(
    x, scale: [scale], zeroPoint: [zero], .perTensor, to: .uint8, call)
  return (codes, scale, zero)
}

/// The scale and zero point of unsigned codes for such a range, widened to contain 0. Throws as ``dynamicallyQuantized(_:_:)``.
func dynamicScale(_ range: Kernels.Range) throws -> (scale: Float, zeroPoint: Int) {
  if let index = range.firstNonFinite {
    throw ExecutionError(
      .invalidValue, "element \(index) of the input is not finite; it has no code")
  }
  let (least, greatest) = (min(range.min, 0), max(range.max, 0))
  var scale = (greatest - least) / 255
  var zero: Float = 0
  if scale == 0 {
    scale = 1
  } else {
    zero = min(max((-least / scale).rounded(.toNearestOrEven), 0), 255)
  }
  return (scale, Int(zero))
}
