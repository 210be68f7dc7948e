import Graphs
import Tensors

/// The functions of the operators that turn scores along an axis into shares.
let softmaxFunctions: [OperatorFunction] = [
  OperatorFunction(
    Softmax.self,
    single: { op, call in
      try alongAxis(op, call, SoftmaxRule()) { x, y, count in
        Kernels.softmax(x, y, rows: 1, count: count)
      }
    }),
  OperatorFunction(
    LogSoftmax.self, single: { op, call in try alongAxis(op, call, LogSoftmaxRule()) }),
  OperatorFunction(Hardmax.self, single: { op, call in try alongAxis(op, call, HardmaxRule()) }),
]

/// Something that is computed from neighbouring elements together.
protocol RowRule {
  func run<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, count: Int)
}

// Rules may be given one row as both x and y.

private struct SoftmaxRule: RowRule {
  func run<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, count: Int
  ) {
    let greatest = greatest(x, count)
    var sum = Element(0)
    for i in 0..<count {
      y[i] = .exp(x[i] - greatest)
      sum += y[i]
    }
    for i in 0..<count { y[i] /= sum }
  }
}

private struct LogSoftmaxRule: RowRule {
  func run<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, count: Int
  ) {
    let greatest = greatest(x, count)
    var sum = 0.0
    for i in 0..<count { sum += Double(Element.exp(x[i] - greatest)) }
    let logarithm = Element(Double.log(sum))
    for i in 0..<count { y[i] = x[i] - greatest - logarithm }
  }
}

private struct HardmaxRule: RowRule {
  func run<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, count: Int
  ) {
    var best = 0
    for i in 0..<count where x[i] > x[best] { best = i }
    for i in 0..<count { y[i] = i == best ? 1 : 0 }
  }
}

private func greatest<Element: RealElement>(_ x: UnsafePointer<Element>, _ count: Int) -> Element {
  var result = x[0]
  for i in 1..<max(count, 1) { result = result.greater(x[i]) }
  return result
}

private struct LineBody<Rule: RowRule>: RealBody {
  let rule: Rule
  let x: Tensor
  let lines: AxisLines
  let call: OperatorCall

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    forEachLine(x, lines, call, Element.self) { rule.run($0, $1, count: $2) }
  }
}

/// What `rule` makes of each line along the operator's axis, in float32 by the kernel where there is one.
func alongAxis(
  _ op: some AxisOperator, _ call: OperatorCall, _ rule: some RowRule,
  kernel: ((UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void)? = nil
) throws -> Tensor {
  let x = try call.input(0)
  let lines = try AxisLines(x.shape, axis: op.axis)
  if let kernel, x.elementType == .float32 {
    return forEachLine(x, lines, call, Float.self, kernel)
  }
  return try withRealType(
    x.elementType, LineBody(rule: rule, x: x, lines: lines, call: call))
}
