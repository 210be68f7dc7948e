import Foundation
import Graphs
import Tensors

/// The functions of the operators that sample pictures anew.
let resamplingFunctions: [OperatorFunction] = [
  OperatorFunction(Resize.self, single: resize).widening(except: 1, 2),
  OperatorFunction(GridSample.self, single: gridSample).widening(),
  OperatorFunction(AffineGrid.self, single: affineGrid).widening(),
  OperatorFunction(Col2Im.self, single: columnsToImage).widening(),
]

private func resize(_ op: Resize, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let lengths = x.shape.dimensions
  let changes = try op.changes(
    lengths, scales: Resize.scales(call[2]), sizes: Resize.sizes(call[3]))
  let regions = try op.regions(call[1], rank: lengths.count)
  guard shape.count > 0 else { return call.output(shape, x.elementType) { _ in } }
  guard x.count > 0 else {
    throw ExecutionError(.invalidValue, "data \(x) is empty; there is nothing to make \(shape) of")
  }
  let samplings = changes.mapValues { _ in [AxisSample]() }.merging(
    changes.map { axis, change in
      (axis, op.samples(change, of: lengths[axis], region: regions[axis]))
    }, uniquingKeysWith: { $1 })
  let hasOutside = samplings.values.contains { $0.contains { $0.isOutside } }
  if op.mode == .nearest, !hasOutside {
    let indices = lengths.indices.map { axis in
      samplings[axis]?.map { $0.taps[0].index } ?? Array(0..<lengths[axis])
    }
    return try IndexedCopy.tensor(of: x, indices, call)
  }
  var result = try Casting.cast(x, to: .float32, call)
  for (axis, samples) in samplings.sorted(by: { $0.key > $1.key }) {
    if samples.isIdentity(lengths[axis]) { continue }
    result = samples.sampling(result, axis: axis, outside: op.extrapolationValue, call)
  }
  return try Casting.cast(result, to: x.elementType, call)
}

/// What one new sample along an axis is made of.
struct AxisSample {
  var taps: [(index: Int, weight: Double)]
  /// Whether it lies outside of the picture, and takes a fixed value.
  var isOutside = false
}

extension Resize {
  /// The part of each axis that is sampled, the whole where none is given.
  fileprivate func regions(_ tensor: Tensor?, rank: Int) throws -> [ClosedRegion] {
    var regions = [ClosedRegion](repeating: ClosedRegion(start: 0, end: 1), count: rank)
    guard coordinates == .cropAndResize, let tensor, tensor.count > 0 else { return regions }
    let axes = try ShapeRules.axes(axes ?? Array(0..<rank), rank: rank)
    guard tensor.count == 2 * axes.count else {
      throw ExecutionError(
        .invalidInput, "the region is \(tensor); must be \(2 * axes.count) numbers")
    }
    let bounds =
      tensor.elementType == .float64
      ? tensor.elements(of: Double.self)
      : try tensor.widened().elements(of: Float.self).map { Double($0) }
    for (index, axis) in axes.enumerated() {
      regions[axis] = ClosedRegion(start: bounds[index], end: bounds[index + axes.count])
    }
    return regions
  }

  fileprivate struct ClosedRegion {
    let start: Double
    let end: Double
  }

  /// What each new sample of an axis is made of.
  fileprivate func samples(
    _ change: Change, of length: Int, region: ClosedRegion
  ) -> [AxisSample] {
    (0..<change.length).map { index in
      let position = position(Double(index), change, Double(length), region)
      guard position.isFinite else { return AxisSample(taps: [(0, 0)], isOutside: true) }
      if coordinates == .cropAndResize, position < 0 || position > Double(length - 1) {
        return AxisSample(taps: [(0, 0)], isOutside: true)
      }
      return AxisSample(taps: taps(at: position, change.scale, length))
    }
  }

  /// Where a new sample lies among the old ones.
  private func position(
    _ x: Double, _ change: Change, _ length: Double, _ region: ClosedRegion
  ) -> Double {
    let width = change.scale * length
    switch coordinates {
    case .alignCorners: return width == 1 ? 0 : x * (length - 1) / (width - 1)
    case .asymmetric: return x / change.scale
    case .cropAndResize:
      let extent = (region.end - region.start) * (length - 1)
      return region.start * (length - 1) + (width == 1 ? extent / 2 : x * extent / (width - 1))
    case .torchHalfPixel: return width == 1 ? -0.5 : (x + 0.5) / change.scale - 0.5
    case .halfPixel: return (x + 0.5) / change.scale - 0.5
    case .halfPixelSymmetric:
      let offset = length / 2 * (1 - Double(change.length) / width)
      return offset + (x + 0.5) / change.scale - 0.5
    }
  }

  private func taps(
    at position: Double, _ scale: Double, _ length: Int
  ) -> [(index: Int, weight: Double)] {
    // The fraction is in (0, 1]: a sample that lies on an old one belongs to the pair that ends there.
    let floor = position.rounded(.down)
    let base = floor == position ? floor - 1 : floor
    let ratio = position - base
    guard mode != .nearest else {
      let takesUpper = nearest.takesUpper(ratio)
      let index = base + (takesUpper ? 1 : 0)
      return [(Int(min(max(index, 0), Double(length - 1))), 1)]
    }
    let shrink = antialiases ? min(scale, 1) : 1
    let reach = mode == .linear ? 1.0 : 2.0
    let half = Int((reach / shrink).rounded(.up))
    var taps: [(index: Int, weight: Double)] = []
    for offset in (1 - half)...half {
      let weight = kernel((Double(offset) - ratio) * shrink)
      let index = base + Double(offset)
      let isInside = index >= 0 && index <= Double(length - 1)
      if excludesOutside, !isInside { continue }
      taps.append((Int(min(max(index, 0), Double(length - 1))), weight))
    }
    guard antialiases || excludesOutside else { return taps }
    let sum = taps.reduce(0) { $0 + $1.weight }
    return taps.map { ($0.index, $0.weight / sum) }
  }

  /// The weight of an old sample at a distance.
  private func kernel(_ distance: Double) -> Double {
    let x = distance.magnitude
    if mode == .linear { return max(1 - x, 0) }
    return cubicWeight(x, Double(cubicCoefficient))
  }
}

/// The weight of a sample at distance `x` ≥ 0 in cubic convolution with coefficient `a`
/// (Keys, "Cubic convolution interpolation for digital image processing", 1981).
func cubicWeight(_ x: Double, _ a: Double) -> Double {
  if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
  if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
  return 0
}

extension Resize.NearestMode {
  /// Whether the sample behind is taken, rather than the one before, at a fraction in (0, 1].
  fileprivate func takesUpper(_ ratio: Double) -> Bool {
    if ratio == 1 { return true }
    switch self {
    case .roundPreferFloor: return ratio > 0.5
    case .roundPreferCeiling: return ratio >= 0.5
    case .floor: return false
    case .ceiling: return true
    }
  }
}

extension [AxisSample] {
  /// Whether each sample is the old one at its place.
  fileprivate func isIdentity(_ length: Int) -> Bool {
    count == length
      && enumerated().allSatisfy { index, sample in
        !sample.isOutside
          && sample.taps.allSatisfy { $0.weight == ($0.index == index ? 1 : 0) || $0.weight == 0 }
          && sample.taps.contains { $0.index == index && $0.weight == 1 }
      }
  }

  /// Float32 `x` with these samples along an axis.
  fileprivate func sampling(
    _ x: Tensor, axis: Int, outside: Float, _ call: OperatorCall
  ) -> Tensor {
    let length = x.shape[axis]
    let inner = x.shape.count(in: (axis + 1)..<x.shape.rank)
    var lengths = x.shape.dimensions
    lengths[axis] = count
    let shape = Shape(lengths)
    return x.withElements(of: Float.self) { source in
      call.output(shape, of: Float.self) { target in
        guard let from = source.baseAddress, let to = target.baseAddress, shape.count > 0 else {
          return
        }
        let rows = shape.count / inner
        let perChunk = Swift.max(1, Elementwise.chunkLength / (4 * inner))
        parallelFor((rows + perChunk - 1) / perChunk) { chunk in
          for row in chunk * perChunk..<Swift.min((chunk + 1) * perChunk, rows) {
            let sample = self[row % count]
            let result = to + row * inner
            if sample.isOutside {
              result.update(repeating: outside, count: inner)
              continue
            }
            let base = from + row / count * length * inner
            for column in 0..<inner {
              var sum = 0.0
              for tap in sample.taps {
                sum += tap.weight * Double(base[tap.index * inner + column])
              }
              result[column] = Float(sum)
            }
          }
        }
      }
    }
  }
}
