import Foundation
import Graphs
import Tensors

/// The functions of the normalizations.
let normalizationFunctions: [OperatorFunction] = [
  OperatorFunction(BatchNormalization.self, batchNormalization),
  OperatorFunction(
    InstanceNormalization.self,
    single: { op, call in
      let shape = try call.outputShape(of: op)
      return try normalizeChannels(call, shape, groups: shape[1], op.epsilon, scalesGroups: false)
    }),
  OperatorFunction(
    GroupNormalization.self,
    single: { op, call in
      let shape = try call.outputShape(of: op)
      return try normalizeChannels(
        call, shape, groups: op.groupCount, op.epsilon, scalesGroups: op.scalesGroups)
    }),
  OperatorFunction(LayerNormalization.self, layerNormalization),
  OperatorFunction(SkipLayerNormalization.self, skipLayerNormalization),
  OperatorFunction(RMSNormalization.self, single: rmsNormalization),
  OperatorFunction(LRN.self, single: responseNormalization),
  OperatorFunction(LpNormalization.self, single: normNormalization),
  OperatorFunction(MeanVarianceNormalization.self, single: meanVarianceNormalization),
]

// MARK: - Per channel

/// `(x − shift) · factor + bias` with numbers of each channel.
private struct ChannelAffineBody: RealBody {
  let x: Tensor
  /// For each channel; in double precision.
  let shift, factor, bias: [Double]
  let call: OperatorCall

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    let channels = shift.count
    let pixels = x.shape.count(in: min(2, x.shape.rank)..<x.shape.rank)
    return x.withElements(of: Element.self) { x in
      call.output(self.x.shape, of: Element.self) { y in
        guard let x = x.baseAddress, let y = y.baseAddress, pixels > 0 else { return }
        let perChunk = max(Elementwise.chunkLength / pixels, 1)
        let planes = self.x.count / pixels
        parallelFor((planes + perChunk - 1) / perChunk) { chunk in
          for plane in (chunk * perChunk)..<min((chunk + 1) * perChunk, planes) {
            let channel = plane % channels
            let shift = Element(shift[channel])
            let (factor, bias) = (Element(factor[channel]), Element(bias[channel]))
            let (source, target) = (x + plane * pixels, y + plane * pixels)
            for i in 0..<pixels { target[i] = (source[i] - shift) * factor + bias }
          }
        }
      }
    }
  }
}

/// The elements of a floating-point vector in double precision.
private func doubles(_ tensor: Tensor) throws -> [Double] {
  switch tensor.elementType {
  case .float32: return tensor.elements(of: Float.self).map(Double.init)
  case .float64: return tensor.elements(of: Double.self)
  default: throw ExecutionError(.unsupported, "is not computed for \(tensor.elementType)")
  }
}

private func batchNormalization(
  _ op: BatchNormalization, _ call: OperatorCall
) throws -> [Tensor] {
  _ = try call.outputShape(of: op)
  let x = try call.input(0)
  let (scale, bias) = (try doubles(call.input(1)), try doubles(call.input(2)))
  var (mean, variance) = (try doubles(call.input(3)), try doubles(call.input(4)))
  var running: [Tensor] = []
  if op.isTraining {
    let moments = try withRealType(x.elementType, ChannelMomentsBody(x: x))
    func blend(_ old: [Double], _ new: [Double], like tensor: Tensor) -> Tensor {
      let momentum = Double(op.momentum)
      let values = zip(old, new).map { $0 * momentum + $1 * (1 - momentum) }
      return tensor.elementType == .float64 ? Tensor(values) : Tensor(values.map { Float($0) })
    }
    running = [
      blend(mean, moments.map(\.mean), like: try call.input(3)),
      blend(variance, moments.map(\.variance), like: try call.input(4)),
    ]
    (mean, variance) = (moments.map(\.mean), moments.map(\.variance))
  }
  let factor = zip(scale, variance).map { $0 / ($1 + Double(op.epsilon)).squareRoot() }
  let result = try withRealType(
    x.elementType,
    ChannelAffineBody(x: x, shift: mean, factor: factor, bias: bias, call: call))
  return Array(([result] + running).prefix(call.outputCount))
}

/// The moments of each channel over the whole batch.
private struct ChannelMomentsBody: RealBody {
  let x: Tensor

  func run<Element: RealElement>(_ type: Element.Type) throws -> [Moments] {
    let channels = x.shape.rank > 1 ? x.shape[1] : 1
    let pixels = x.shape.count(in: min(2, x.shape.rank)..<x.shape.rank)
    guard x.count > 0 else {
      throw ExecutionError(.invalidValue, "the input is \(x); moments of no elements")
    }
    return x.withElements(of: Element.self) { x in
      (0..<channels).map { channel in
        var values: [Element] = []
        for start in stride(from: channel * pixels, to: x.count, by: channels * pixels) {
          values += x[start..<(start + pixels)]
        }
        return Moments(values, values.count)
      }
    }
  }
}

/// Moments over groups of neighbouring channels of each sample, then a scale and a bias per channel or group.
private struct GroupBody: RealBody {
  let call: OperatorCall
  let x: Tensor
  let groups: Int
  let epsilon: Float
  let scale, bias: [Double]

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    let shape = x.shape
    let channels = shape[1] / groups
    let pixels = shape.count(in: 2..<shape.rank)
    let size = channels * pixels
    let perChannel = scale.count == shape[1]
    return x.withElements(of: Element.self) { x in
      call.output(shape, of: Element.self) { y in
        guard let x = x.baseAddress, let y = y.baseAddress, size > 0 else { return }
        parallelFor(shape[0] * groups) { index in
          let moments = Moments(x + index * size, size)
          let factor = 1 / (moments.variance + Double(epsilon)).squareRoot()
          for channel in 0..<channels {
            let group = index % groups
            let entry = perChannel ? group * channels + channel : group
            let shift = Element(moments.mean)
            let slope = Element(factor * scale[entry])
            let offset = Element(bias[entry])
            let start = index * size + channel * pixels
            for i in start..<(start + pixels) { y[i] = (x[i] - shift) * slope + offset }
          }
        }
      }
    }
  }
}

private func normalizeChannels(
  _ call: OperatorCall, _ shape: Shape, groups: Int, _ epsilon: Float, scalesGroups: Bool
) throws -> Tensor {
  let x = try call.input(0)
  let (scale, bias) = (try doubles(call.input(1)), try doubles(call.input(2)))
  return try withRealType(
    x.elementType,
    GroupBody(
      call: call, x: x, groups: max(groups, 1), epsilon: epsilon, scale: scale, bias: bias))
}

// MARK: - Over the inner axes

/// Moments over rows of the inner axes, then a scale and a bias per element of a row.
private struct RowBody: RealBody {
  let call: OperatorCall
  let x: Tensor
  let firstAxis: Int
  let epsilon: Float
  /// As long as a row; nil for ones and zeros.
  let scale, bias: Tensor?

  func run<Element: RealElement>(_ type: Element.Type) throws -> [Tensor] {
    let shape = x.shape
    let length = shape.count(in: firstAxis..<shape.rank)
    let rows = shape.count(in: 0..<firstAxis)
    guard length > 0 else {
      throw ExecutionError(.invalidValue, "the input is \(x); moments of no elements")
    }
    let scale = scale?.elements(of: Element.self)
    let bias = bias?.elements(of: Element.self)
    var moments = [(Float, Float)](repeating: (0, 0), count: rows)
    let result = x.withElements(of: Element.self) { x in
      call.output(shape, of: Element.self) { y in
        moments.withUnsafeMutableBufferPointer { moments in
          let moments = moments.baseAddress
          parallelFor(rows) { row in
            let found = Moments(x.baseAddress! + row * length, length)
            let inverse = 1 / (found.variance + Double(epsilon)).squareRoot()
            let (shift, factor) = (Element(found.mean), Element(inverse))
            moments?[row] = (Float(found.mean), Float(inverse))
            for i in 0..<length {
              let value = (x[row * length + i] - shift) * factor * (scale?[i] ?? 1)
              y[row * length + i] = value + (bias?[i] ?? 0)
            }
          }
        }
      }
    }
    let lengths = shape.dimensions.enumerated().map { $0 < firstAxis ? $1 : 1 }
    return [
      result, Tensor(moments.map(\.0), shape: Shape(lengths)),
      Tensor(moments.map(\.1), shape: Shape(lengths)),
    ]
  }
}

/// A scale or bias, repeated to the shape of the axes from `firstAxis`.
private func rowVector(
  _ tensor: Tensor?, _ x: Tensor, from firstAxis: Int, _ call: OperatorCall
) throws -> Tensor? {
  guard let tensor else { return nil }
  _ = try commonElementType(x, tensor)
  let row = Shape(Array(x.shape.dimensions.dropFirst(firstAxis)))
  if tensor.shape == row { return tensor }
  let ones = Tensor.zeros(row, x.elementType)
  let result = try Arithmetic.apply(Add.self, ones, tensor, call)
  guard result.shape == row else {
    throw ExecutionError(
      .invalidInput, "a scale or bias is \(tensor); must be broadcast to \(row)")
  }
  return result
}

private func layerNormalization(
  _ op: LayerNormalization, _ call: OperatorCall
) throws -> [Tensor] {
  _ = try call.outputShape(of: op)
  let x = try call.input(0)
  let first = try ShapeRules.axis(op.axis, rank: x.shape.rank)
  let scale = try rowVector(call[1], x, from: first, call)
  let bias = try rowVector(call[2], x, from: first, call)
  return try normalizeRows(x, from: first, op.epsilon, scale, bias, call)
}

/// The normalized rows and, where the node has these outputs, their means and inverse deviations.
private func normalizeRows(
  _ x: Tensor, from first: Int, _ epsilon: Float, _ scale: Tensor?, _ bias: Tensor?,
  _ call: OperatorCall
) throws -> [Tensor] {
  let length = x.shape.count(in: first..<x.shape.rank)
  if call.outputCount == 1, x.elementType == .float32, length > 0 {
    let lines = AxisLines(neighbours: length, of: x.count)
    let gamma = scale?.elements(of: Float.self)
    let beta = bias?.elements(of: Float.self)
    return [
      withPointers(gamma, beta) { gamma, beta in
        forEachLine(x, lines, call, Float.self) {
          Kernels.layerNorm(
            $0, gamma: gamma, beta: beta, epsilon: epsilon, $1, rows: 1, count: $2)
        }
      }
    ]
  }
  let body = RowBody(
    call: call, x: x, firstAxis: first, epsilon: epsilon, scale: scale, bias: bias)
  return Array(try withRealType(x.elementType, body).prefix(call.outputCount))
}

private func withPointers<Result>(
  _ a: [Float]?, _ b: [Float]?,
  _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?) -> Result
) -> Result {
  (a ?? []).withUnsafeBufferPointer { first in
    (b ?? []).withUnsafeBufferPointer { second in
      body(a == nil ? nil : first.baseAddress, b == nil ? nil : second.baseAddress)
    }
  }
}

private func skipLayerNormalization(
  _ op: SkipLayerNormalization, _ call: OperatorCall
) throws -> [Tensor] {
  _ = try call.outputShape(of: op)
  try call.floats(0, 1, 2, 3, 4)
  var sum = try Arithmetic.apply(Add.self, try call.input(0), try call.input(1), call)
  if let bias = call[4] { sum = try Arithmetic.apply(Add.self, sum, bias, call) }
  guard sum.shape == (try call.input(0).shape) else {
    throw ExecutionError(
      .invalidInput, "skip is \(try call.input(1)); must be broadcast to \(try call.input(0))")
  }
  let results = try normalizeRows(
    sum, from: sum.shape.rank - 1, op.epsilon, call[2], call[3], call)
  return call.outputCount < 4 ? results : results + [sum]
}

private struct RootMeanSquareBody: RealBody {
  let call: OperatorCall
  let x: Tensor
  let lines: AxisLines
  let epsilon: Float
  let scale: Tensor

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    let scale = scale.elements(of: Element.self)
    return forEachLine(x, lines, call, Element.self) { x, y, count in
      var sum = 0.0
      for i in 0..<count { sum += Double(x[i]) * Double(x[i]) }
      let factor = Element(1 / (sum / Double(count) + Double(epsilon)).squareRoot())
      for i in 0..<count { y[i] = x[i] * factor * scale[i] }
    }
  }
}

private func rmsNormalization(_ op: RMSNormalization, _ call: OperatorCall) throws -> Tensor {
  _ = try call.outputShape(of: op)
  let x = try call.input(0)
  let first = try ShapeRules.axis(op.axis, rank: x.shape.rank)
  guard let scale = try rowVector(call.input(1), x, from: first, call) else { return x }
  let lines = AxisLines(neighbours: x.shape.count(in: first..<x.shape.rank), of: x.count)
  if x.elementType == .float32 {
    return scale.withElements(of: Float.self) { gamma in
      forEachLine(x, lines, call, Float.self) {
        Kernels.rmsNorm(
          $0, gamma: gamma.baseAddress, epsilon: op.epsilon, $1, rows: 1, count: $2)
      }
    }
  }
  return try withRealType(
    x.elementType,
    RootMeanSquareBody(call: call, x: x, lines: lines, epsilon: op.epsilon, scale: scale))
}

// MARK: - Others

private struct ResponseBody: RealBody {
  let op: LRN
  let x: Tensor
  let call: OperatorCall

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    let lines = try AxisLines(x.shape, axis: 1)
    let before = (op.size - 1) / 2
    let factor = Double(op.alpha) / Double(op.size)
    return forEachLine(x, lines, call, Element.self) { x, y, count in
      // x and y may be the same row.
      let squares = (0..<count).map { Double(x[$0]) * Double(x[$0]) }
      for i in 0..<count {
        var sum = 0.0
        for j in max(i - before, 0)..<min(i - before + op.size, count) { sum += squares[j] }
        y[i] = Element(Double(x[i]) / pow(Double(op.bias) + factor * sum, Double(op.beta)))
      }
    }
  }
}

private func responseNormalization(_ op: LRN, _ call: OperatorCall) throws -> Tensor {
  _ = try call.outputShape(of: op)
  let x = try call.input(0)
  return try withRealType(x.elementType, ResponseBody(op: op, x: x, call: call))
}

private struct NormRowRule: RowRule {
  let p: Int

  func run<Element: RealElement>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, count: Int
  ) {
    var sum = 0.0
    for i in 0..<count {
      sum += p == 1 ? Double(x[i]).magnitude : Double(x[i]) * Double(x[i])
    }
    let norm = Element(p == 1 ? sum : sum.squareRoot())
    for i in 0..<count { y[i] = norm == 0 ? 0 : x[i] / norm }
  }
}

private func normNormalization(_ op: LpNormalization, _ call: OperatorCall) throws -> Tensor {
  try alongAxis(op, call, NormRowRule(p: op.p))
}

private struct MeanVarianceBody: RealBody {
  let x: Tensor
  let axes: Set<Int>
  let call: OperatorCall

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    let shape = x.shape
    // Elements that share moments have one number: their index with the reduced axes left out.
    let kept = Shape(shape.dimensions.enumerated().map { axes.contains($0) ? 1 : $1 })
    let pairs = try Broadcast([shape, kept])
    var groups = [[Double]](repeating: [], count: kept.count)
    return x.withElements(of: Element.self) { x in
      pairs.forEachRun(in: 0..<x.count) { start, count, offsets in
        for i in 0..<count { groups[offsets[1] + i * pairs.steps[1]].append(Double(x[start + i])) }
      }
      let moments = groups.map { Moments($0, $0.count) }
      return call.output(shape, of: Element.self) { y in
        pairs.forEachRun(in: 0..<x.count) { start, count, offsets in
          for i in 0..<count {
            let found = moments[offsets[1] + i * pairs.steps[1]]
            let deviation = found.variance.squareRoot() + 1e-9
            y[start + i] = Element((Double(x[start + i]) - found.mean) / deviation)
          }
        }
      }
    }
  }
}

private func meanVarianceNormalization(
  _ op: MeanVarianceNormalization, _ call: OperatorCall
) throws -> Tensor {
  _ = try call.outputShape(of: op)
  let x = try call.input(0)
  if x.count == 0 { return x }
  let axes = try op.axes.map { try ShapeRules.axis($0, rank: x.shape.rank) }
  return try withRealType(
    x.elementType, MeanVarianceBody(x: x, axes: Set(axes), call: call))
}
