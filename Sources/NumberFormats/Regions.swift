package import Tensors

/// How a tensor is divided into regions that share a scale, in the order of the scales.
///
/// Elements are given as offsets in row-major order. The tensor is seen as `[outer, length, inner]`, the middle axis being
/// the one that scales vary along; for blocks as `[outer, rows, columns]`.
package struct Regions: Sendable {
  /// One region: runs of neighbours at equal distances.
  package struct Region: Hashable, Sendable {
    /// The offset of the first element.
    package var start: Int
    /// How many runs there are.
    package var runCount: Int
    /// The distance between the first elements of two runs.
    package var runStride: Int
    /// How many neighbours a run has.
    package var runLength: Int

    /// The number of elements.
    package var count: Int { runCount * runLength }
  }

  /// Regions that lie side by side in short runs, so that rows are best handled whole: `count` slabs `[steps, width]`, in
  /// which every column belongs to one region.
  package struct Slabs: Sendable {
    /// The number of slabs.
    package var count: Int
    /// The number of columns.
    package var width: Int
    /// How many neighbouring columns belong to the same region.
    package var columnsPerRegion: Int
    /// The rows of each slab, as offsets of their first elements.
    package var rows: @Sendable (_ slab: Int) -> StrideTo<Int>
    /// The number of regions of one slab; those of slab i begin at i × this.
    package var regionCount: Int { width / columnsPerRegion }
  }

  private enum Form {
    case whole, channels, groups, blocks
  }

  /// Below this length of runs, handling rows whole is faster than runs one by one.
  private static let shortRun = 16

  private let form: Form
  private let outer, length, inner: Int
  /// The sizes of a group or block along `length` and `inner`.
  private let size, columns: Int
  /// The shape of the scales.
  package let scaleShape: Shape

  init(whole shape: Shape) {
    (form, outer, length, inner) = (.whole, 1, 1, shape.count)
    (size, columns) = (1, shape.count)
    scaleShape = []
  }

  init(channelsOf shape: Shape, axis: Int) {
    form = .channels
    outer = shape.count(in: 0..<axis)
    length = shape[axis]
    inner = shape.count(in: (axis + 1)..<shape.rank)
    (size, columns) = (1, inner)
    scaleShape = [length]
  }

  init(groupsOf size: Int, along axis: Int, in shape: Shape) {
    form = .groups
    outer = shape.count(in: 0..<axis)
    length = shape[axis]
    inner = shape.count(in: (axis + 1)..<shape.rank)
    (self.size, columns) = (size, 1)
    var dimensions = shape.dimensions
    dimensions[axis] = Regions.quotient(length, size)
    scaleShape = Shape(dimensions)
  }

  init(blocksOf rows: Int, _ columns: Int, in shape: Shape) {
    form = .blocks
    outer = shape.count(in: 0..<(shape.rank - 2))
    (length, inner) = (shape[-2], shape[-1])
    (size, self.columns) = (rows, columns)
    scaleShape = Shape(
      shape.dimensions.dropLast(2) + [
        Regions.quotient(length, rows), Regions.quotient(inner, columns),
      ])
  }

  private static func quotient(_ length: Int, _ size: Int) -> Int {
    length / size + (length % size == 0 ? 0 : 1)
  }

  /// The number of regions.
  package var count: Int { scaleShape.count }

  /// The region of the scale at `index`, in row-major order.
  package subscript(index: Int) -> Region {
    switch form {
    case .whole:
      return Region(start: 0, runCount: 1, runStride: inner, runLength: inner)
    case .channels:
      return Region(
        start: index * inner, runCount: outer, runStride: length * inner, runLength: inner)
    case .groups:
      let groups = Regions.quotient(length, size)
      let group = index / inner % groups
      let start = (index / inner / groups * length + group * size) * inner + index % inner
      let steps = min(size, length - group * size)
      return inner == 1
        ? Region(start: start, runCount: 1, runStride: steps, runLength: steps)
        : Region(start: start, runCount: steps, runStride: inner, runLength: 1)
    case .blocks:
      let across = Regions.quotient(inner, columns)
      let down = Regions.quotient(length, size)
      let row = index / across % down * size
      let column = index % across * columns
      return Region(
        start: (index / across / down * length + row) * inner + column,
        runCount: min(size, length - row), runStride: inner,
        runLength: min(columns, inner - column))
    }
  }

  /// The regions as slabs, where runs are so short that this is the faster way; else nil.
  package var slabs: Slabs? {
    let (length, inner, size) = (length, inner, size)
    switch form {
    case .channels where inner < Regions.shortRun && length > 1:
      let (width, end) = (length * inner, outer * length * inner)
      return Slabs(count: 1, width: width, columnsPerRegion: max(inner, 1)) { _ in
        stride(from: 0, to: end, by: max(width, 1))
      }
    case .groups where inner > 1:
      let groups = Regions.quotient(length, size)
      return Slabs(count: outer * groups, width: inner, columnsPerRegion: 1) { slab in
        let first = slab / groups * length + slab % groups * size
        let steps = min(size, length - slab % groups * size)
        return stride(from: first * inner, to: (first + steps) * inner, by: inner)
      }
    default: return nil
    }
  }
}
