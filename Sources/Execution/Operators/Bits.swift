import Graphs
import Tensors

/// The functions of the operators on integers' bits.
let bitFunctions: [OperatorFunction] = [
  .bitwise(BitwiseAnd.self) { $0 & $1 }, .bitwise(BitwiseOr.self) { $0 | $1 },
  .bitwise(BitwiseXor.self) { $0 ^ $1 }, OperatorFunction(BitwiseNot.self, single: invert),
  OperatorFunction(BitShift.self, single: shift),
]

extension OperatorFunction {
  /// The function of an operator that works on each byte alone.
  fileprivate static func bitwise<Op: Operator>(
    _ type: Op.Type, _ value: @escaping @Sendable (UInt64, UInt64) -> UInt64
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { _, call in
        let (a, b) = (try integers(call, 0), try integers(call, 1))
        _ = try commonElementType(a, b)
        return try withBitPatternType(
          a.elementType, BitwiseBody(a: a, b: b, call: call, value: value))
      })
  }
}

private func integers(_ call: OperatorCall, _ index: Int) throws -> Tensor {
  let x = try call.input(index)
  guard x.elementType.isInteger else {
    throw ExecutionError(.invalidInput, "input \(index) is \(x); must be integers")
  }
  return x
}

private struct BitwiseBody: NumericBody {
  let a, b: Tensor
  let call: OperatorCall
  let value: (UInt64, UInt64) -> UInt64

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    let a = a.reinterpreted(as: Element.elementType)
    let b = b.reinterpreted(as: Element.elementType)
    let result = try Elementwise.combine(a, b, call, Element.self, Element.self, Element.self) {
      Elementwise.row($0, $1, $2, $3, $4, $5) { $0.combiningBits(of: $1, value) }
    }
    return result.reinterpreted(as: self.a.elementType)
  }
}

extension NumericElement {
  /// What a function makes of the bits of two integers; the type must be an unsigned integer.
  fileprivate func combiningBits(of other: Self, _ value: (UInt64, UInt64) -> UInt64) -> Self {
    Self.fromBits(value(toBits(), other.toBits()))
  }
}

private func invert(_: BitwiseNot, _ call: OperatorCall) throws -> Tensor {
  let x = try integers(call, 0)
  let ones = Tensor(Shape(x.shape.dimensions.map { _ in 1 }), x.elementType) { bytes in
    _ = bytes.initializeMemory(as: UInt8.self, repeating: 0xFF)
  }
  return try withBitPatternType(
    x.elementType, BitwiseBody(a: x, b: ones, call: call) { $0 ^ $1 })
}

private func shift(_ op: BitShift, _ call: OperatorCall) throws -> Tensor {
  let (a, b) = (try integers(call, 0), try integers(call, 1))
  let type = try commonElementType(a, b)
  guard [.uint8, .uint16, .uint32, .uint64].contains(type) else {
    throw ExecutionError(.invalidInput, "input 0 is \(a); must be unsigned integers")
  }
  let isLeft = op.direction == .left
  return try withBitPatternType(
    type,
    BitwiseBody(a: a, b: b, call: call) { value, places in
      isLeft ? value << places : value >> places
    })
}
