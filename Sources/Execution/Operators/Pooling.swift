import Foundation
import Graphs
import Tensors

/// The functions of the operators that summarize neighbourhoods or whole channels.
let poolingFunctions: [OperatorFunction] = [
  OperatorFunction(MaxPool.self, maxPool),
  OperatorFunction(
    AveragePool.self,
    single: { op, call in
      try pool(op, call, AverageRule(countsPadding: op.countsPadding))
    }),
  OperatorFunction(LpPool.self, single: { op, call in try pool(op, call, NormRule(p: op.p)) }),
  OperatorFunction(
    GlobalAveragePool.self, single: { op, call in try globalPool(op, call, MeanReduction()) }),
  OperatorFunction(
    GlobalMaxPool.self, single: { op, call in try globalPool(op, call, MaxReduction()) }),
  OperatorFunction(
    GlobalLpPool.self, single: { op, call in try globalPool(op, call, NormReduction(p: op.p)) }),
  OperatorFunction(MaxUnpool.self, single: unpool),
  OperatorFunction(RoiAlign.self, single: roiAlign),
]

private func windows(_ op: some PoolingOperator, _ x: Shape) throws -> PoolingWindows {
  try PoolingWindows(
    op.window.axes(
      input: Array(x.dimensions.dropFirst(2)), kernel: op.window.kernelShape ?? [],
      roundsUp: op.roundsUp))
}

// MARK: - Greatest element

private func maxPool(_ op: MaxPool, _ call: OperatorCall) throws -> [Tensor] {
  let shape = try call.outputShape(of: op)
  let x = try call.input(0)
  if shape.count == 0 {
    let places = Tensor.zeros(shape, .int64)
    return Array([Tensor.zeros(shape, x.elementType), places].prefix(call.outputCount))
  }
  return try withNumericType(
    x.elementType,
    MaxBody(op: op, x: x, shape: shape, windows: try windows(op, x.shape), call: call))
}

private struct MaxBody: NumericBody {
  let op: MaxPool
  let x: Tensor
  let shape: Shape
  let windows: PoolingWindows
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> [Tensor] {
    guard call.outputCount > 1 else {
      return [values(type)]
    }
    var places: Tensor?
    let values = x.withElements(of: Element.self) { x in
      call.output(shape, of: Element.self) { y in
        places = call.output(shape, of: Int64.self) { found in
          parallelFor(y.count / max(windows.outputCount, 1)) { plane in
            locate(plane, x, y, found)
          }
        }
      }
    }
    return [values, places!]
  }

  private func values<Element: NumericElement>(_ type: Element.Type) -> Tensor {
    x.withElements(of: Element.self) { x in
      call.output(shape, of: Element.self) { y in
        parallelFor(y.count / max(windows.outputCount, 1)) { plane in
          let source = UnsafeBufferPointer(rebasing: x[(plane * windows.inputCount)...])
          windows.forEachPosition { position, d, h, w in
            var greatest = Element.least
            windows.forEachElement(d, h, w) { greatest = greatest.greater(source[$0]) }
            y[plane * windows.outputCount + position] = greatest
          }
        }
      }
    }
  }

  /// The greatest elements of one channel, and where they stand in the whole input.
  private func locate<Element: NumericElement>(
    _ plane: Int, _ x: UnsafeBufferPointer<Element>, _ y: UnsafeMutableBufferPointer<Element>,
    _ found: UnsafeMutableBufferPointer<Int64>
  ) {
    let first = plane * windows.inputCount
    windows.forEachPosition { position, d, h, w in
      var greatest = Element.least
      var place = 0
      var isFirst = true
      windows.forEachElement(d, h, w) { index in
        let value = x[first + index]
        // Written so that a NaN wins and stays.
        if isFirst || (!(value <= greatest) && greatest == greatest) {
          (greatest, place, isFirst) = (value, index, false)
        }
      }
      let target = plane * windows.outputCount + position
      y[target] = greatest
      found[target] = Int64(first + (op.isColumnMajor ? columnMajor(place) : place))
    }
  }

  /// The index of a channel's element where the outermost spatial axis counts fastest.
  private func columnMajor(_ index: Int) -> Int {
    var (index, result) = (index, 0)
    for axis in windows.axes.reversed() {
      result = result * axis.input + index % axis.input
      index /= axis.input
    }
    return result
  }
}

// MARK: - Means and norms

/// What is made of the elements under a window.
private protocol WindowRule {
  func value<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ windows: PoolingWindows, _ d: PoolingWindows.Part,
    _ h: PoolingWindows.Part, _ w: PoolingWindows.Part
  ) -> Element
}

private struct AverageRule: WindowRule {
  let countsPadding: Bool

  func value<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ windows: PoolingWindows, _ d: PoolingWindows.Part,
    _ h: PoolingWindows.Part, _ w: PoolingWindows.Part
  ) -> Element {
    var sum = Element(0)
    var count = 0
    windows.forEachElement(d, h, w) {
      sum += x[$0]
      count += 1
    }
    if countsPadding { count = d.padded * h.padded * w.padded }
    return count == 0 ? 0 : sum / Element(count)
  }
}

private struct NormRule: WindowRule {
  let p: Int

  func value<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ windows: PoolingWindows, _ d: PoolingWindows.Part,
    _ h: PoolingWindows.Part, _ w: PoolingWindows.Part
  ) -> Element {
    var sum = 0.0
    windows.forEachElement(d, h, w) { sum += power(Double(x[$0]), p) }
    return Element(root(sum, p))
  }
}

/// `|x|ᵖ`.
private func power(_ x: Double, _ p: Int) -> Double {
  p == 1 ? x.magnitude : p == 2 ? x * x : pow(x.magnitude, Double(p))
}

private func root(_ sum: Double, _ p: Int) -> Double {
  p == 1 ? sum : p == 2 ? sum.squareRoot() : pow(sum, 1 / Double(p))
}

private struct WindowBody<Rule: WindowRule>: RealBody {
  let rule: Rule
  let x: Tensor
  let shape: Shape
  let windows: PoolingWindows
  let call: OperatorCall

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    x.withElements(of: Element.self) { x in
      call.output(shape, of: Element.self) { y in
        parallelFor(y.count / max(windows.outputCount, 1)) { plane in
          let source = x.baseAddress! + plane * windows.inputCount
          windows.forEachPosition { position, d, h, w in
            y[plane * windows.outputCount + position] = rule.value(source, windows, d, h, w)
          }
        }
      }
    }
  }
}

private func pool(
  _ op: some PoolingOperator, _ call: OperatorCall, _ rule: some WindowRule
) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let x = try call.input(0)
  if shape.count == 0 { return Tensor.zeros(shape, x.elementType) }
  return try withRealType(
    x.elementType,
    WindowBody(rule: rule, x: x, shape: shape, windows: try windows(op, x.shape), call: call))
}

// MARK: - Whole channels

/// What is made of a whole channel.
private protocol ChannelReduction {
  func value<Element: RealElement>(_ x: UnsafePointer<Element>, _ count: Int) -> Element
}

private struct MeanReduction: ChannelReduction {
  func value<Element: RealElement>(_ x: UnsafePointer<Element>, _ count: Int) -> Element {
    var sum = 0.0
    for i in 0..<count { sum += Double(x[i]) }
    return Element(sum / Double(count))
  }
}

private struct MaxReduction: ChannelReduction {
  func value<Element: RealElement>(_ x: UnsafePointer<Element>, _ count: Int) -> Element {
    var greatest = -Element.infinity
    for i in 0..<count { greatest = greatest.greater(x[i]) }
    return greatest
  }
}

private struct NormReduction: ChannelReduction {
  let p: Int

  func value<Element: RealElement>(_ x: UnsafePointer<Element>, _ count: Int) -> Element {
    var sum = 0.0
    for i in 0..<count { sum += power(Double(x[i]), p) }
    return Element(root(sum, p))
  }
}

private struct ChannelBody<Reduction: ChannelReduction>: RealBody {
  let reduction: Reduction
  let x: Tensor
  let shape: Shape
  let call: OperatorCall

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    let pixels = x.shape.count(in: 2..<x.shape.rank)
    return x.withElements(of: Element.self) { x in
      call.output(shape, of: Element.self) { y in
        parallelFor(y.count) {
          y[$0] = reduction.value(x.baseAddress! + $0 * pixels, pixels)
        }
      }
    }
  }
}

private func globalPool(
  _ op: some GlobalPoolingOperator, _ call: OperatorCall, _ reduction: some ChannelReduction
) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let x = try call.input(0)
  guard x.count > 0 || shape.count == 0 else {
    throw ExecutionError(.invalidValue, "the input is \(x); a channel has no elements")
  }
  return try withRealType(
    x.elementType, ChannelBody(reduction: reduction, x: x, shape: shape, call: call))
}

// MARK: - Back again

private struct ScatterBody: NumericBody {
  let x: Tensor
  let places: [Int]
  let shape: Shape
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    x.withElements(of: Element.self) { x in
      call.output(shape, of: Element.self) { y in
        y.update(repeating: 0)
        for (place, value) in zip(places, x) { y[place] = value }
      }
    }
  }
}

/// Places count in the shape before pooling; a larger output shape adds zeros at the ends.
private func unpool(_ op: MaxUnpool, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let (x, indices) = (try call.input(0), try call.input(1))
  guard indices.elementType == .int64, indices.shape == x.shape else {
    throw ExecutionError(
      .invalidInput, "the places are \(indices); must be int64 and as many as \(x)")
  }
  let spatial = x.shape.dimensions.dropFirst(2).enumerated().map {
    op.length(of: $0.offset, pooled: $0.element)
  }
  let inner = Array(x.shape.dimensions.prefix(2)) + spatial
  guard shape.rank == inner.count, let innerShape = Shape(checking: inner),
    zip(inner, shape.dimensions).allSatisfy({ $0 <= $1 })
  else {
    throw ExecutionError(
      .invalidInput, "the output's shape is \(shape); must be at least \(inner)")
  }
  let strides = (innerShape.strides, shape.strides)
  let places = try indices.integers().map { place in
    guard place >= 0, place < innerShape.count else {
      throw ExecutionError(
        .invalidValue, "a place is \(place); must be 0 to \(innerShape.count - 1)")
    }
    return inner.indices.reduce(0) {
      $0 + place / strides.0[$1] % inner[$1] * strides.1[$1]
    }
  }
  return try withNumericType(
    x.elementType, ScatterBody(x: x, places: places, shape: shape, call: call))
}
