import Tensors

/// A tensor whose element at an index is found by looking each axis' index up in a list: what padding by
/// reflection and resizing to the nearest are made of.
struct IndexedCopy: NumericBody {
  let x: Tensor
  let shape: Shape
  /// For each axis of the result and each index along it, the source's index.
  let indices: [[Int]]
  let call: OperatorCall

  /// The tensor looked up; every index must be one of the source's.
  static func tensor(
    of x: Tensor, _ indices: [[Int]], _ call: OperatorCall
  ) throws -> Tensor {
    let patterns = x.bitPatterns
    let copy = IndexedCopy(
      x: patterns, shape: Shape(indices.map(\.count)), indices: indices, call: call)
    return try withBitPatternType(patterns.elementType, copy).asElements(of: x.elementType)
  }

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    let strides = x.shape.strides
    let offsets = zip(indices, strides).map { list, stride in list.map { $0 * stride } }
    let row = offsets.last ?? [0]
    let isDense = row.indices.dropFirst().allSatisfy { row[$0] == row[$0 - 1] + 1 }
    return x.withElements(of: Element.self) { source in
      call.output(shape, of: Element.self) { target in
        guard let from = source.baseAddress, let to = target.baseAddress, shape.count > 0 else {
          return
        }
        let rowCount = shape.count / row.count
        let perChunk = max(1, Elementwise.chunkLength / row.count)
        parallelFor((rowCount + perChunk - 1) / perChunk) { chunk in
          for index in chunk * perChunk..<min((chunk + 1) * perChunk, rowCount) {
            var rest = index
            var start = from
            for axis in offsets.indices.dropLast().reversed() {
              start += offsets[axis][rest % offsets[axis].count]
              rest /= offsets[axis].count
            }
            let result = to + index * row.count
            if isDense {
              result.update(from: start + row[0], count: row.count)
            } else {
              for column in row.indices { result[column] = start[row[column]] }
            }
          }
        }
      }
    }
  }
}
