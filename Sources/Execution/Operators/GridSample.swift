import Foundation
import Graphs
import Tensors

func gridSample(_ op: GridSample, _ call: OperatorCall) throws -> Tensor {
  let x = try Casting.cast(try call.input(0), to: .float32, call)
  let grid = try Casting.cast(try call.input(1), to: .float32, call)
  let shape = try call.outputShape(of: op)
  let sampler = GridSampler(op: op, lengths: Array(x.shape.dimensions[2...]))
  let (batch, channels) = (shape[0], shape[1])
  let points = shape.count(in: 2..<shape.rank)
  let pixels = x.shape.count(in: 2..<x.shape.rank)
  let rank = sampler.lengths.count
  guard pixels > 0 || shape.count == 0 else {
    throw ExecutionError(.invalidValue, "X \(x) is empty; there is nothing to sample")
  }
  let result = x.withElements(of: Float.self) { source in
    grid.withElements(of: Float.self) { grid in
      call.output(shape, of: Float.self) { target in
        let to = target.baseAddress
        parallelFor(batch * points) { index in
          let (image, point) = (index / points, index % points)
          let coordinates = (0..<rank).map { Double(grid[index * rank + rank - 1 - $0]) }
          let taps = sampler.taps(at: coordinates)
          for channel in 0..<channels {
            let plane = (image * channels + channel) * pixels
            let sum = taps.reduce(0.0) { $0 + $1.weight * Double(source[plane + $1.index]) }
            to![(image * channels + channel) * points + point] = Float(sum)
          }
        }
      }
    }
  }
  return try Casting.cast(result, to: try call.input(0).elementType, call)
}

/// Which pixels a point of a grid is made of.
private struct GridSampler {
  let op: GridSample
  let lengths: [Int]

  typealias Tap = (index: Int, weight: Double)

  /// The pixels around a point, outermost axis first, by their place in a picture.
  func taps(at point: [Double]) -> [Tap] {
    var result: [Tap] = [(0, 1)]
    for (axis, coordinate) in point.enumerated() {
      let along = taps(at: coordinate, lengths[axis])
      result = result.flatMap { outer in
        along.map { (outer.index * lengths[axis] + $0.index, outer.weight * $0.weight) }
      }
    }
    return result
  }

  private func taps(at coordinate: Double, _ length: Int) -> [Tap] {
    guard coordinate.isFinite else { return [] }
    let low = op.alignsCorners ? 0 : -0.5
    let high = Double(length) - (op.alignsCorners ? 1 : 0.5)
    var x =
      op.alignsCorners
      ? (coordinate + 1) / 2 * Double(length - 1) : ((coordinate + 1) * Double(length) - 1) / 2
    if op.mode == .nearest { x = x.rounded(.toNearestOrEven) }
    if x < low || x > high {
      switch op.padding {
      case .border: x = min(max(x, 0), Double(length - 1))
      case .reflection: x = reflected(x, low, high)
      case .zeros: break
      }
    }
    let base = x.rounded(.down)
    let fraction = x - base
    switch op.mode {
    case .nearest: return tap(x, 1, length)
    case .linear, .bilinear:
      return tap(base, 1 - fraction, length) + tap(base + 1, fraction, length)
    case .cubic, .bicubic:
      return (-1...2).flatMap { offset in
        tap(
          base + Double(offset), cubicWeight((Double(offset) - fraction).magnitude, -0.75), length)
      }
    }
  }

  private func tap(_ position: Double, _ weight: Double, _ length: Int) -> [Tap] {
    if position >= 0, position <= Double(length - 1) { return [(Int(position), weight)] }
    switch op.padding {
    case .zeros: return []
    case .border: return [(Int(min(max(position, 0), Double(length - 1))), weight)]
    case .reflection:
      let low = op.alignsCorners ? 0 : -0.5
      let high = Double(length) - (op.alignsCorners ? 1 : 0.5)
      let index = reflected(position, low, high)
      return [(Int(min(max(index, 0), Double(length - 1))), weight)]
    }
  }

  private func reflected(_ x: Double, _ low: Double, _ high: Double) -> Double {
    let range = high - low
    guard range > 0 else { return low }
    let distance = x < low ? low - x : x - high
    let turns = (distance / range).rounded(.down)
    let rest = distance - turns * range
    let isEven = turns.truncatingRemainder(dividingBy: 2) == 0
    return (x < low) == isEven ? low + rest : high - rest
  }
}

func affineGrid(_ op: AffineGrid, _ call: OperatorCall) throws -> Tensor {
  let theta = try call.input(0)
  let shape = try call.outputShape(of: op)
  let numbers = try Casting.cast(theta, to: .float64, call).elements(of: Double.self)
  let axes = shape[-1]
  let lengths = Array(shape.dimensions[1..<(1 + axes)])
  let points = lengths.reduce(1, *)
  let grid = call.output(shape, of: Double.self) { target in
    for image in 0..<shape[0] {
      for point in 0..<points {
        // x belongs to the innermost axis and stands first.
        var rest = point
        var position: [Double] = []
        for length in lengths.reversed() {
          position.append(op.position(rest % length, length))
          rest /= length
        }
        for row in 0..<axes {
          let first = (image * axes + row) * (axes + 1)
          var sum = numbers[first + axes]
          for column in 0..<axes { sum += numbers[first + column] * position[column] }
          target[(image * points + point) * axes + row] = sum
        }
      }
    }
  }
  return try Casting.cast(grid, to: theta.elementType, call)
}

extension AffineGrid {
  fileprivate func position(_ index: Int, _ length: Int) -> Double {
    if alignsCorners { return length == 1 ? 0 : 2 * Double(index) / Double(length - 1) - 1 }
    return (2 * Double(index) + 1) / Double(length) - 1
  }
}

func columnsToImage(_ op: Col2Im, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let places = try op.places(
    image: Array(shape.dimensions[2...]), block: call.integers(2) ?? [],
    blockCount: x.shape[2])
  let pixels = shape.count(in: 2..<shape.rank)
  return try withNumericType(
    x.elementType,
    BlockSum(x: x, shape: shape, places: places, pixels: pixels, call: call))
}

extension Col2Im {
  /// For each element of a block and each block the pixel that it belongs to, −1 for the surroundings.
  fileprivate func places(image: [Int], block: [Int], blockCount: Int) throws -> [Int] {
    let rank = image.count
    let dilations = dilations ?? [Int](repeating: 1, count: rank)
    let strides = strides ?? [Int](repeating: 1, count: rank)
    let pads = pads ?? [Int](repeating: 0, count: 2 * rank)
    let counts = (0..<rank).map { axis in
      let extent = dilations[axis] * (block[axis] - 1) + 1
      return max(0, (image[axis] + pads[axis] + pads[axis + rank] - extent) / strides[axis] + 1)
    }
    guard counts.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == blockCount
    else {
      throw ExecutionError(
        .invalidInput, "X has \(blockCount) blocks; the picture has \(counts)")
    }
    let elements = block.reduce(1, *)
    return (0..<elements * blockCount).map { index in
      var (element, position) = (index / blockCount, index % blockCount)
      var place = 0
      var stride = 1
      for axis in (0..<rank).reversed() {
        let pixel =
          position % counts[axis] * strides[axis] + element % block[axis] * dilations[axis]
          - pads[axis]
        guard pixel >= 0, pixel < image[axis] else { return -1 }
        place += pixel * stride
        stride *= image[axis]
        element /= block[axis]
        position /= counts[axis]
      }
      return place
    }
  }
}

private struct BlockSum: NumericBody {
  let x: Tensor
  let shape: Shape
  let places: [Int]
  let pixels: Int
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    x.withElements(of: Element.self) { source in
      call.output(shape, of: Element.self) { target in
        target.initialize(repeating: 0)
        for plane in 0..<shape[0] * shape[1] {
          for (index, place) in places.enumerated() where place >= 0 {
            let pixel = plane * pixels + place
            target[pixel] = target[pixel].adding(source[plane * places.count + index])
          }
        }
      }
    }
  }
}
