import Graphs
import Tensors

/// The functions of the operators that compare, choose, and reckon with Booleans and bits.
let logicFunctions: [OperatorFunction] = [
  .comparison(Equal.self), .comparison(Greater.self), .comparison(Less.self),
  .comparison(GreaterOrEqual.self), .comparison(LessOrEqual.self),
  .logical(And.self) { $0 != 0 && $1 != 0 }, .logical(Or.self) { $0 != 0 || $1 != 0 },
  .logical(Xor.self) { ($0 != 0) != ($1 != 0) },
  OperatorFunction(Not.self, single: not),
  OperatorFunction(IsNaN.self, single: { _, call in try classify(call) { $0.isNaN } }),
  OperatorFunction(
    IsInf.self,
    single: { op, call in
      try classify(call) { $0.isInfinite && ($0 < 0 ? op.detectsNegative : op.detectsPositive) }
    }),
  OperatorFunction(Where.self, single: choose),
]

// MARK: - Comparison

/// A relation of two numbers.
protocol Relation {
  static func holds<Element: NumericElement>(_ a: Element, _ b: Element) -> Bool
}

extension Equal: Relation {
  static func holds<Element: NumericElement>(_ a: Element, _ b: Element) -> Bool { a == b }
}

extension Greater: Relation {
  static func holds<Element: NumericElement>(_ a: Element, _ b: Element) -> Bool { a > b }
}

extension Less: Relation {
  static func holds<Element: NumericElement>(_ a: Element, _ b: Element) -> Bool { a < b }
}

extension GreaterOrEqual: Relation {
  static func holds<Element: NumericElement>(_ a: Element, _ b: Element) -> Bool { a >= b }
}

extension LessOrEqual: Relation {
  static func holds<Element: NumericElement>(_ a: Element, _ b: Element) -> Bool { a <= b }
}

private struct RelationBody<Rule: Relation>: NumericBody {
  let a, b: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    try Elementwise.combine(a, b, call, Element.self, Element.self, Bool.self) {
      Elementwise.row($0, $1, $2, $3, $4, $5) { Rule.holds($0, $1) }
    }
  }
}

extension OperatorFunction {
  fileprivate static func comparison<Op: Operator & Relation>(
    _ type: Op.Type
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { _, call in
        let (a, b) = (try call.input(0), try call.input(1))
        guard try commonElementType(a, b) == .bool else {
          return try withNumericType(
            a.elementType, RelationBody<Op>(a: a, b: b, call: call))
        }
        return try Elementwise.combine(
          booleanBytes(a), booleanBytes(b), call, UInt8.self, UInt8.self, Bool.self
        ) {
          Elementwise.row($0, $1, $2, $3, $4, $5) {
            Op.holds($0 == 0 ? 0 : 1, $1 == 0 ? UInt8(0) : 1)
          }
        }
      })
  }

  fileprivate static func logical<Op: Operator>(
    _ type: Op.Type, _ holds: @escaping @Sendable (UInt8, UInt8) -> Bool
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { _, call in
        let (a, b) = (try booleanBytes(call.input(0)), try booleanBytes(call.input(1)))
        return try Elementwise.combine(a, b, call, UInt8.self, UInt8.self, Bool.self) {
          Elementwise.row($0, $1, $2, $3, $4, $5, holds)
        }
      })
  }
}

private func not(_: Not, _ call: OperatorCall) throws -> Tensor {
  Elementwise.map(try booleanBytes(call.input(0)), call, UInt8.self, Bool.self) { x, y, count in
    for i in 0..<count { y[i] = x[i] == 0 }
  }
}

private func classify(
  _ call: OperatorCall, _ holds: (Double) -> Bool
) throws -> Tensor {
  let x = try call.input(0)
  switch x.elementType {
  case .float32:
    return Elementwise.map(x, call, Float.self, Bool.self) { x, y, count in
      for i in 0..<count { y[i] = holds(Double(x[i])) }
    }
  case .float64:
    return Elementwise.map(x, call, Double.self, Bool.self) { x, y, count in
      for i in 0..<count { y[i] = holds(x[i]) }
    }
  default: throw ExecutionError(.unsupported, "is not computed for \(x.elementType)")
  }
}

// MARK: - Choice

private struct ChoiceBody: NumericBody {
  let condition, a, b: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    let bits = Element.elementType
    let operands = try Broadcast([condition.shape, a.shape, b.shape])
    try OperatorCall.check(operands.shape, bits)
    let steps = (operands.steps[0], operands.steps[1], operands.steps[2])
    let result = condition.withElements(of: UInt8.self) { condition in
      a.reinterpreted(as: bits).withElements(of: Element.self) { a in
        b.reinterpreted(as: bits).withElements(of: Element.self) { b in
          call.output(operands.shape, of: Element.self) { target in
            guard let c = condition.baseAddress, let a = a.baseAddress, let b = b.baseAddress,
              let y = target.baseAddress
            else { return }
            operands.forEachRun { start, count, offsets in
              let (c, a, b) = (c + offsets[0], a + offsets[1], b + offsets[2])
              let y = y + start
              for i in 0..<count {
                y[i] = c[i * steps.0] != 0 ? a[i * steps.1] : b[i * steps.2]
              }
            }
          }
        }
      }
    }
    return result.reinterpreted(as: a.elementType)
  }
}

private func choose(_: Where, _ call: OperatorCall) throws -> Tensor {
  let (a, b) = (try call.input(1), try call.input(2))
  let body = ChoiceBody(
    condition: try booleanBytes(call.input(0)), a: a, b: b, call: call)
  return try withBitPatternType(try commonElementType(a, b), body)
}
