import Graphs
import Tensors

/// Regions sampled at points of a grid, each part's samples pooled.
func roiAlign(_ op: RoiAlign, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  try call.floats(0, 1)
  let x = try call.input(0)
  let regions: [Float] = try call.input(1).elements()
  let images = try call.integers(2) ?? []
  guard images.allSatisfy({ 0..<x.shape[0] ~= $0 }) else {
    throw ExecutionError(
      .invalidValue, "images of regions are \(images); must be 0 to \(x.shape[0] - 1)")
  }
  guard regions.allSatisfy({ ($0 * op.spatialScale).magnitude < RegionGrid.limit }) else {
    throw ExecutionError(.invalidValue, "a region's coordinate is NaN, or 2²⁰ or more")
  }
  let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
  return x.withElements(of: Float.self) { x in
    call.output(shape, of: Float.self) { y in
      guard height > 0, width > 0 else { return y.update(repeating: 0) }
      let parts = op.height * op.width
      parallelFor(images.count) { region in
        let grid = RegionGrid(op, regions[(region * 4)..<(region * 4 + 4)])
        for channel in 0..<channels {
          let plane = x.baseAddress! + (images[region] * channels + channel) * height * width
          for part in 0..<parts {
            y[(region * channels + channel) * parts + part] = grid.pooled(
              plane, height, width, row: part / op.width, column: part % op.width)
          }
        }
      }
    }
  }
}

/// The points of a region at which samples are taken.
private struct RegionGrid {
  /// The greatest coordinate: far more than any image has pixels.
  static let limit: Float = 0x1p20

  let takesGreatest: Bool
  let top, left, partHeight, partWidth: Float
  let rows, columns: Int

  init(_ op: RoiAlign, _ region: ArraySlice<Float>) {
    takesGreatest = op.takesGreatest
    let shift: Float = op.isShifted ? 0.5 : 0
    let corners = region.map { $0 * op.spatialScale - shift }
    (left, top) = (corners[0], corners[1])
    var (height, width) = (corners[3] - top, corners[2] - left)
    if !op.isShifted { (height, width) = (max(height, 1), max(width, 1)) }
    partHeight = height / Float(op.height)
    partWidth = width / Float(op.width)
    func count(_ length: Float) -> Int {
      op.samplingRatio > 0
        ? op.samplingRatio : max(Int(length.rounded(.up)), 0)
    }
    rows = count(partHeight)
    columns = count(partWidth)
  }

  /// The mean of the samples of a part, or the greatest; 0 where there is none.
  func pooled(
    _ plane: UnsafePointer<Float>, _ height: Int, _ width: Int, row: Int, column: Int
  ) -> Float {
    let yStep = partHeight / Float(rows)
    let xStep = partWidth / Float(columns)
    let first = (y: top + Float(row) * partHeight, x: left + Float(column) * partWidth)
    let near = (
      y: inside(first.y, yStep, rows, length: height),
      x: inside(first.x, xStep, columns, length: width)
    )
    // Samples that are far outside are zeros.
    let isWhole = near.y.count == rows && near.x.count == columns
    var (sum, greatest): (Float, Float) = (0, isWhole ? -.infinity : 0)
    for i in near.y {
      for j in near.x {
        let corners = weighted(
          plane, height, width, first.y + (Float(i) + 0.5) * yStep,
          first.x + (Float(j) + 0.5) * xStep)
        sum += corners.0 + corners.1 + corners.2 + corners.3
        // As the reference does: the greatest weighted corner, not the greatest sample.
        greatest = max(greatest, corners.0, corners.1, max(corners.2, corners.3))
      }
    }
    if rows == 0 || columns == 0 { return 0 }
    return takesGreatest ? greatest : sum / (Float(rows) * Float(columns))
  }

  /// The samples along an axis that are no more than a pixel outside of `0..<length`.
  private func inside(_ first: Float, _ step: Float, _ count: Int, length: Int) -> Range<Int> {
    func isBefore(_ index: Int) -> Bool { first + (Float(index) + 0.5) * step < -1 }
    func isBehind(_ index: Int) -> Bool { first + (Float(index) + 0.5) * step > Float(length) }
    // A region that is turned around walks down; it has few samples, as many as were asked for.
    guard step > 0 else { return 0..<count }
    let start = partition(count) { !isBefore($0) }
    return start..<max(partition(count, where: isBehind), start)
  }

  /// The first index below `count` for which the condition holds, which then holds for all that follow.
  private func partition(_ count: Int, where holds: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The four pixels around a point, each times its weight; zeros more than a pixel outside.
  private func weighted(
    _ plane: UnsafePointer<Float>, _ height: Int, _ width: Int, _ y: Float, _ x: Float
  ) -> (Float, Float, Float, Float) {
    guard y >= -1, y <= Float(height), x >= -1, x <= Float(width) else { return (0, 0, 0, 0) }
    let (y, x) = (min(max(y, 0), Float(height - 1)), min(max(x, 0), Float(width - 1)))
    let (top, left) = (Int(y), Int(x))
    let (bottom, right) = (min(top + 1, height - 1), min(left + 1, width - 1))
    let (dy, dx) = (y - Float(top), x - Float(left))
    return (
      plane[top * width + left] * (1 - dy) * (1 - dx), plane[top * width + right] * (1 - dy) * dx,
      plane[bottom * width + left] * dy * (1 - dx), plane[bottom * width + right] * dy * dx
    )
  }
}
