import Tensors

/// A copy between two arrays of the same axes that lie differently in memory: what transposing, slicing, repeating and
/// putting together are made of.
///
/// Axes that lie alike on both sides are merged first, so that contiguous runs are copied whole; where neighbours on one
/// side are apart on the other, blocks that fit the cache are.
struct StridedCopy {
  /// Outermost first, in the order of the target.
  private(set) var axes: [Kernels.CopyAxis] = []
  private let count: Int

  /// A copy of `lengths` elements, given the distance between neighbours along each axis on both sides.
  init(_ lengths: [Int], source: [Int], target: [Int]) {
    count = lengths.reduce(1, *)
    for axis in lengths.indices where lengths[axis] != 1 {
      let next = Kernels.CopyAxis(
        length: lengths[axis], source: source[axis], target: target[axis])
      if let outer = axes.last, outer.source == next.source * next.length,
        outer.target == next.target * next.length
      {
        axes[axes.count - 1] = Kernels.CopyAxis(
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

  /// The same as one call of the kernel; nil where there are too many axes.
  func singleCopy(elementSize: Int) -> Kernels.AxisCopy? {
    axes.count > Kernels.AxisCopy.axisLimit
      ? nil : Kernels.AxisCopy(axes, elementSize: elementSize)
  }

  /// Copies, on several threads. `source` and `target` point at the elements of index 0 of every axis.
  func run<Element>(
    _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
  ) {
    guard count > 0 else { return }
    let size = MemoryLayout<Element>.stride
    let inner = Kernels.AxisCopy(
      Array(axes.suffix(Kernels.AxisCopy.axisLimit)), elementSize: size)
    func copy(_ outer: ArraySlice<Kernels.CopyAxis>, _ from: Int, _ to: Int) {
      guard let axis = outer.first else { return inner.run(from: source + from, to: target + to) }
      for index in 0..<axis.length {
        copy(outer.dropFirst(), from + index * axis.source, to + index * axis.target)
      }
    }
    copy(axes.dropLast(Kernels.AxisCopy.axisLimit), 0, 0)
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
