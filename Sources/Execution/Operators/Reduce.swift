import Foundation
import Graphs
import Tensors

/// The functions of the operators that make one number of many.
let reducingFunctions: [OperatorFunction] = [
  .reducing(ReduceSum.self, .sum), .reducing(ReduceMean.self, .mean),
  .reducing(ReduceMax.self, .maximum), .reducing(ReduceMin.self, .minimum),
  .reducing(ReduceProd.self, .product), .reducing(ReduceL1.self, .absoluteSum),
  .reducing(ReduceL2.self, .norm), .reducing(ReduceLogSum.self, .logarithmOfSum),
  .reducing(ReduceLogSumExp.self, .logarithmOfExponentials),
  .reducing(ReduceSumSquare.self, .squareSum),
]

extension OperatorFunction {
  fileprivate static func reducing<Op: ReducingOperator>(
    _ type: Op.Type, _ kind: RowReduction
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { op, call in
        let x = try call.input(0)
        let shape = try call.outputShape(of: op)
        let axes = try op.reduction.axes(
          call.integers(1), isGiven: call.has(1), rank: x.shape.rank)
        return try kind.reduce(x, axes ?? [], call).reshaped(to: shape)
      }
    ).widening()
  }
}

/// One number for each row of numbers.
///
/// Floating-point numbers are added up in double precision and in one fixed order, so that the result depends on nothing but
/// the row. Sums of integers wrap around.
enum RowReduction {
  case sum, mean, maximum, minimum, product, absoluteSum, norm, squareSum
  case logarithmOfSum, logarithmOfExponentials

  /// The reduction of `x` along the given axes; the result has one axis.
  func reduce(_ x: Tensor, _ axes: [Int], _ call: OperatorCall) throws -> Tensor {
    let kept = x.shape.dimensions.indices.filter { !axes.contains($0) }
    let order = kept + axes
    let strides = x.shape.strides
    let length = axes.reduce(1) { $0 * x.shape[$1] }
    let rows = Shape([kept.reduce(1) { $0 * x.shape[$1] }, length])
    let sorted =
      order == Array(order.indices)
      ? x
      : try StridedCopy.view(
        of: x, Shape(order.map { x.shape[$0] }), strides: order.map { strides[$0] }, call)
    let matrix = sorted.reshaped(to: rows)
    switch x.elementType {
    case .bool:
      guard self == .maximum || self == .minimum else {
        throw ExecutionError(.unsupported, "is not computed for bool")
      }
      return try overBooleans(matrix, call)
    case .float32: return overFloats(matrix, Float.self, call)
    case .float64: return overFloats(matrix, Double.self, call)
    default: return try withNumericType(x.elementType, Integers(kind: self, x: matrix, call: call))
    }
  }

  private func overBooleans(_ x: Tensor, _ call: OperatorCall) throws -> Tensor {
    let (rows, length) = (x.shape[0], x.shape[1])
    let wanted: UInt8 = self == .maximum ? 1 : 0
    return try booleanBytes(x).withElements(of: UInt8.self) { source in
      call.output([rows], of: UInt8.self) { target in
        for row in 0..<rows {
          let isFound = source[row * length..<(row + 1) * length].contains {
            ($0 != 0) == (wanted == 1)
          }
          target[row] = isFound ? wanted : 1 - wanted
        }
      }
    }.reinterpreted(as: .bool)
  }

  /// Calls `body` for each row, on several threads.
  fileprivate static func forEachRow<Element: TensorElement>(
    _ x: Tensor, _ call: OperatorCall, _: Element.Type,
    _ body: (UnsafeBufferPointer<Element>) -> Element
  ) -> Tensor {
    let (rows, length) = (x.shape[0], x.shape[1])
    return x.withElements(of: Element.self) { source in
      call.output([rows], of: Element.self) { target in
        let perChunk = max(1, Elementwise.chunkLength / max(length, 1))
        let to = target.baseAddress
        parallelFor((rows + perChunk - 1) / perChunk) { chunk in
          for row in chunk * perChunk..<min((chunk + 1) * perChunk, rows) {
            to![row] = body(
              UnsafeBufferPointer(rebasing: source[row * length..<(row + 1) * length]))
          }
        }
      }
    }
  }

  private func overFloats<Element: NumericElement & BinaryFloatingPoint>(
    _ x: Tensor, _ type: Element.Type, _ call: OperatorCall
  ) -> Tensor {
    RowReduction.forEachRow(x, call, type) { Element(value($0)) }
  }

  /// The number for one row of floating-point numbers.
  @inline(__always)
  private func value<Element: NumericElement & BinaryFloatingPoint>(
    _ row: UnsafeBufferPointer<Element>
  ) -> Double {
    switch self {
    case .sum: return RowReduction.sum(row)
    case .mean: return RowReduction.sum(row) / Double(row.count)
    case .maximum: return row.reduce(-Element.infinity) { $0.greater($1) }.double
    case .minimum: return row.reduce(Element.infinity) { $0.lesser($1) }.double
    case .product: return row.reduce(1.0) { $0 * $1.double }
    case .absoluteSum: return RowReduction.sum(row) { abs($0) }
    case .squareSum: return RowReduction.sum(row) { $0 * $0 }
    case .norm: return RowReduction.sum(row) { $0 * $0 }.squareRoot()
    case .logarithmOfSum: return log(RowReduction.sum(row) { $0 })
    case .logarithmOfExponentials:
      let greatest = row.reduce(-Element.infinity) { $0.greater($1) }.double
      guard greatest.isFinite else { return greatest }
      return log(RowReduction.sum(row) { exp($0 - greatest) }) + greatest
    }
  }

  /// The sum, of float32 numbers by the kernel.
  @inline(__always)
  private static func sum<Element: NumericElement & BinaryFloatingPoint>(
    _ row: UnsafeBufferPointer<Element>
  ) -> Double {
    if let floats = row as? UnsafeBufferPointer<Float>, let start = floats.baseAddress {
      return Kernels.sums(start, count: floats.count).sum
    }
    return sum(row) { $0 }
  }

  /// The sum of a function of each number: eight partial sums, which the processor can add at once.
  @inline(__always)
  private static func sum<Element: NumericElement & BinaryFloatingPoint>(
    _ row: UnsafeBufferPointer<Element>, _ function: (Double) -> Double
  ) -> Double {
    var sums = SIMD8<Double>.zero
    let whole = row.count & ~7
    for start in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { sums[lane] += function(row[start + lane].double) }
    }
    var rest = 0.0
    for index in whole..<row.count { rest += function(row[index].double) }
    return sums.sum() + rest
  }

  private struct Integers: NumericBody {
    let kind: RowReduction
    let x: Tensor
    let call: OperatorCall

    func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
      RowReduction.forEachRow(x, call, type) { kind.value(ofIntegers: $0) }
    }
  }

  /// The number for one row of integers.
  private func value<Element: NumericElement>(
    ofIntegers row: UnsafeBufferPointer<Element>
  ) -> Element {
    let sum = { row.reduce(0 as Element) { $0.adding($1) } }
    let squares = { row.reduce(0 as Element) { $0.adding($1.multiplying($1)) } }
    let real = { (value: Double) in Element.truncating(value) }
    switch self {
    case .sum: return sum()
    case .mean: return real((row.reduce(0.0) { $0 + $1.double }) / Double(row.count))
    case .maximum: return row.max() ?? Element.truncating(-.infinity)
    case .minimum: return row.min() ?? Element.truncating(.infinity)
    case .product: return row.reduce(1 as Element) { $0.multiplying($1) }
    case .absoluteSum: return row.reduce(0 as Element) { $0.adding($1.absolute()) }
    case .squareSum: return squares()
    case .norm: return real((row.reduce(0.0) { $0 + $1.double * $1.double }).squareRoot())
    case .logarithmOfSum: return real(log(row.reduce(0.0) { $0 + $1.double }))
    case .logarithmOfExponentials:
      guard let greatest = row.max()?.double else { return real(-.infinity) }
      return real(log(row.reduce(0.0) { $0 + exp($1.double - greatest) }) + greatest)
    }
  }
}

extension NumericElement {
  /// The number without its fraction, stopped at the type's range; 0 for NaN.
  fileprivate static func truncating(_ value: Double) -> Self {
    (Self.self as? any CastElement.Type).map { $0.init(double: value) as! Self } ?? 0
  }
}
