import Tensors

/// How the elements of several operands pair up under multidirectional broadcasting.
///
/// Neighbouring axes that behave alike are merged, so that operands of one shape make one run, and a value per
/// channel one run per channel.
struct Broadcast {
  /// The shape of the result.
  let shape: Shape
  /// For each operand the distance between neighbours of a run: 1, or 0 where one element is repeated.
  let steps: [Int]
  /// The number of elements of a whole run.
  let runLength: Int

  /// The lengths of the axes around a run, outermost first.
  private let outerLengths: [Int]
  /// For each of these axes, the distance between neighbours in each operand.
  private let outerStrides: [[Int]]

  /// The elements that one index of a parallel region works on.
  private static let chunkLength = 1 << 15

  /// The pairing of operands of the given shapes. Throws ``ExecutionError`` where they don't go together.
  init(_ shapes: [Shape]) throws {
    let lengths = try Broadcast.lengths(shapes)
    guard let shape = Shape(checking: lengths) else {
      throw ExecutionError(.invalidValue, "the result's shape \(lengths) has too many elements")
    }
    self.shape = shape
    let operandStrides = shapes.map { Broadcast.strides($0, rank: lengths.count) }
    var merged: [(length: Int, strides: [Int])] = []
    for axis in lengths.indices.reversed() where lengths[axis] != 1 {
      let strides = operandStrides.map { $0[axis] }
      if let inner = merged.last,
        zip(strides, inner.strides).allSatisfy({ $0 == $1 * inner.length })
      {
        merged[merged.count - 1].length *= lengths[axis]
      } else {
        merged.append((lengths[axis], strides))
      }
    }
    let run = merged.first ?? (1, shapes.map { _ in 0 })
    runLength = run.length
    steps = run.strides
    outerLengths = merged.dropFirst().reversed().map(\.length)
    outerStrides = merged.dropFirst().reversed().map(\.strides)
  }

  /// Calls `body` for pieces of runs that together cover the result, on several threads.
  ///
  /// `offsets` holds the first element of each operand; element `i` of operand `k` is at `offsets[k] + i * steps[k]`.
  func forEachRun(
    _ body: (_ start: Int, _ count: Int, _ offsets: UnsafeMutableBufferPointer<Int>) -> Void
  ) {
    let chunks = (shape.count + Broadcast.chunkLength - 1) / Broadcast.chunkLength
    if chunks == 1 { return forEachRun(in: 0..<shape.count, body) }
    parallelFor(chunks) { chunk in
      let start = chunk * Broadcast.chunkLength
      forEachRun(in: start..<min(start + Broadcast.chunkLength, shape.count), body)
    }
  }

  /// The same for a part of the result, on the calling thread.
  func forEachRun(
    in range: Range<Int>,
    _ body: (_ start: Int, _ count: Int, _ offsets: UnsafeMutableBufferPointer<Int>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: steps.count) { offsets in
      var start = range.lowerBound
      while start < range.upperBound {
        let column = start % runLength
        for operand in steps.indices { offsets[operand] = column * steps[operand] }
        var row = start / runLength
        for axis in outerLengths.indices.reversed() {
          let index = row % outerLengths[axis]
          row /= outerLengths[axis]
          for operand in steps.indices {
            offsets[operand] += index * outerStrides[axis][operand]
          }
        }
        let count = min(runLength - column, range.upperBound - start)
        body(start, count, offsets)
        start += count
      }
    }
  }

  private static func lengths(_ shapes: [Shape]) throws -> [Int] {
    let rank = shapes.map(\.rank).max() ?? 0
    var lengths = [Int](repeating: 1, count: rank)
    for shape in shapes {
      for (index, length) in shape.dimensions.enumerated() where length != 1 {
        let axis = rank - shape.rank + index
        guard lengths[axis] == 1 || lengths[axis] == length else {
          let list = shapes.map(\.description).joined(separator: ", ")
          throw ExecutionError(
            .invalidValue,
            "shapes \(list) can't be broadcast together: lengths \(lengths[axis]) and \(length) differ and neither is 1"
          )
        }
        lengths[axis] = length
      }
    }
    return lengths
  }

  /// The operand's strides along the axes of the result, 0 where it is repeated.
  private static func strides(_ shape: Shape, rank: Int) -> [Int] {
    let strides = zip(shape.dimensions, shape.strides).map { $0 == 1 ? 0 : $1 }
    return [Int](repeating: 0, count: rank - shape.rank) + strides
  }
}
