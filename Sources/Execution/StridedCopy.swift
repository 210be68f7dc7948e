import Tensors

/// A copy between two arrays of the same axes that lie differently in memory: what transposing, slicing, repeating and
/// putting together are made of.
///
/// Axes that lie alike on both sides are merged first, so that contiguous runs are copied whole; where neighbours on one
/// side are apart on the other, blocks that fit the cache are.
struct StridedCopy {
  private struct Axis {
    var length: Int
    /// The distance between neighbours in the source; 0 repeats one element, negative runs backwards.
    var source: Int
    var target: Int
  }

  /// Outermost first, in the order of the target.
  private var axes: [Axis] = []
  private let count: Int

  /// The elements that one index of a parallel region works on, at least.
  private static let chunkLength = 1 << 15
  /// The side of a block of a transpose.
  private static let tile = 16

  /// A copy of `lengths` elements, given the distance between neighbours along each axis on both sides.
  init(_ lengths: [Int], source: [Int], target: [Int]) {
    count = lengths.reduce(1, *)
    for axis in lengths.indices where lengths[axis] != 1 {
      let next = Axis(length: lengths[axis], source: source[axis], target: target[axis])
      if let outer = axes.last, outer.source == next.source * next.length,
        outer.target == next.target * next.length
      {
        axes[axes.count - 1] = Axis(
          length: outer.length * next.length, source: next.source, target: next.target)
      } else {
        axes.append(next)
      }
    }
  }

  /// A copy into an array that is dense in row-major order.
  init(_ lengths: [Int], source: [Int]) {
    self.init(lengths, source: source, target: Shape(lengths).strides)
  }

  /// Copies, on several threads. `source` and `target` point at the elements of index 0 of every axis.
  func run<Element>(
    _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
  ) {
    guard count > 0 else { return }
    guard count > StridedCopy.chunkLength, let outermost = axes.first, outermost.length > 1 else {
      return copy(axes[...], source, target)
    }
    let perIndex = count / outermost.length
    var part = max(1, StridedCopy.chunkLength / perIndex)
    if part > StridedCopy.tile { part = part / StridedCopy.tile * StridedCopy.tile }
    parallelFor((outermost.length + part - 1) / part) { chunk in
      let start = chunk * part
      var axes = self.axes
      axes[0].length = min(part, outermost.length - start)
      copy(axes[...], source + start * outermost.source, target + start * outermost.target)
    }
  }

  private func copy<Element>(
    _ axes: ArraySlice<Axis>, _ source: UnsafePointer<Element>,
    _ target: UnsafeMutablePointer<Element>
  ) {
    guard let inner = axes.last else {
      target.pointee = source.pointee
      return
    }
    if axes.count == 1 { return copyRun(inner, source, target) }
    // The axis whose neighbours are next to each other in the source, where the run's are not.
    if inner.source != 1, inner.source != 0, inner.target == 1,
      let other = axes.dropLast().lastIndex(where: { $0.source == 1 })
    {
      let outer = Array(axes[axes.startIndex..<other] + axes[(other + 1)..<(axes.endIndex - 1)])
      return forEachIndex(outer[...], source, target) { source, target in
        copyTransposed(axes[other], inner, source, target)
      }
    }
    forEachIndex(axes.dropLast(), source, target) { copyRun(inner, $0, $1) }
  }

  private func forEachIndex<Element>(
    _ axes: ArraySlice<Axis>, _ source: UnsafePointer<Element>,
    _ target: UnsafeMutablePointer<Element>,
    _ body: (UnsafePointer<Element>, UnsafeMutablePointer<Element>) -> Void
  ) {
    guard let axis = axes.first else { return body(source, target) }
    let rest = axes.dropFirst()
    for index in 0..<axis.length {
      forEachIndex(rest, source + index * axis.source, target + index * axis.target, body)
    }
  }

  @inline(__always)
  private func copyRun<Element>(
    _ axis: Axis, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
  ) {
    if axis.source == 1, axis.target == 1 {
      target.update(from: source, count: axis.length)
    } else if axis.source == 0, axis.target == 1 {
      target.update(repeating: source.pointee, count: axis.length)
    } else {
      for index in 0..<axis.length {
        target[index * axis.target] = source[index * axis.source]
      }
    }
  }

  /// `column` runs along the source's neighbours, `row` along the target's.
  private func copyTransposed<Element>(
    _ column: Axis, _ row: Axis, _ source: UnsafePointer<Element>,
    _ target: UnsafeMutablePointer<Element>
  ) {
    let tile = StridedCopy.tile
    for firstRow in stride(from: 0, to: row.length, by: tile) {
      let rowCount = min(tile, row.length - firstRow)
      for firstColumn in stride(from: 0, to: column.length, by: tile) {
        let columns = firstColumn..<min(firstColumn + tile, column.length)
        for j in columns {
          let to = target + j * column.target + firstRow
          let from = source + j + firstRow * row.source
          for i in 0..<rowCount { to[i] = from[i * row.source] }
        }
      }
    }
  }
}

// MARK: - Whole tensors

extension StridedCopy {
  private struct Whole: NumericBody {
    let x: Tensor
    let offset: Int
    let copy: StridedCopy
    let shape: Shape
    let call: OperatorCall

    func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
      x.withElements(of: Element.self) { source in
        call.output(shape, of: Element.self) { target in
          guard let from = source.baseAddress, let to = target.baseAddress, shape.count > 0 else {
            return
          }
          copy.run(from + offset, to)
        }
      }
    }
  }

  /// A tensor of the given shape whose element at an index is that of `x` at `offset` plus the index times `strides`.
  ///
  /// The caller makes sure that all of these lie inside of `x`. `axes` may cut the shape's axes into finer ones.
  static func view(
    of x: Tensor, _ shape: Shape, axes: [Int]? = nil, strides: [Int], offset: Int = 0,
    _ call: OperatorCall
  ) throws -> Tensor {
    let patterns = x.bitPatterns
    let whole = Whole(
      x: patterns, offset: offset,
      copy: StridedCopy(axes ?? shape.dimensions, source: strides), shape: shape, call: call)
    return try withBitPatternType(patterns.elementType, whole).asElements(of: x.elementType)
  }

  private struct Part: NumericBody {
    let x: Tensor
    let target: UnsafeMutableRawPointer
    let sourceOffset: Int
    let targetOffset: Int
    let copy: StridedCopy

    func run<Element: NumericElement>(_ type: Element.Type) throws {
      x.withElements(of: Element.self) { source in
        guard let from = source.baseAddress else { return }
        copy.run(from + sourceOffset, target.assumingMemoryBound(to: Element.self) + targetOffset)
      }
    }
  }

  /// Copies elements of `x`, which are at least a byte each, into memory of the same element type.
  func run(
    _ x: Tensor, from sourceOffset: Int, to target: UnsafeMutableRawPointer, at targetOffset: Int
  ) throws {
    guard count > 0 else { return }
    try withBitPatternType(
      x.elementType,
      Part(
        x: x.bitPatterns, target: target, sourceOffset: sourceOffset, targetOffset: targetOffset,
        copy: self))
  }
}
