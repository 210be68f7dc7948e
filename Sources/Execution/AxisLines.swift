import Graphs
import Tensors

/// Lines of elements along one axis of a tensor.
struct AxisLines {
  /// The number of elements of a line.
  let length: Int
  /// The distance between neighbours of a line.
  let step: Int
  /// The number of lines.
  let count: Int

  /// The lines along an axis, negative counting from the innermost. Throws where there is no such axis.
  init(_ shape: Shape, axis: Int) throws {
    let axis = try ShapeRules.axis(axis, rank: shape.rank)
    length = shape[axis]
    step = shape.count(in: (axis + 1)..<shape.rank)
    count = shape.count == 0 ? 0 : shape.count / length
  }

  /// Lines of `length` neighbours, 1 or more, that together are `total` elements.
  init(neighbours length: Int, of total: Int) {
    self.length = length
    step = 1
    count = total / max(length, 1)
  }

  /// Where a line begins.
  func start(of line: Int) -> Int { line / step * step * length + line % step }
}

/// What `body` makes of each line, on several threads.
func forEachLine<Element: TensorElement>(
  _ x: Tensor, _ lines: AxisLines, _ call: OperatorCall, _: Element.Type,
  _ body: (UnsafePointer<Element>, UnsafeMutablePointer<Element>, Int) -> Void
) -> Tensor {
  let (length, step) = (lines.length, lines.step)
  let perChunk = max(Elementwise.chunkLength / max(length, 1), 1)
  return x.withElements(of: Element.self) { source in
    call.output(x.shape, of: Element.self) { target in
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      parallelFor((lines.count + perChunk - 1) / perChunk) { chunk in
        let range = (chunk * perChunk)..<min((chunk + 1) * perChunk, lines.count)
        if step == 1 {
          for line in range { body(from + line * length, to + line * length, length) }
          return
        }
        withUnsafeTemporaryAllocation(of: Element.self, capacity: length) { row in
          for line in range {
            let start = lines.start(of: line)
            let row = row.baseAddress!
            for i in 0..<length { row[i] = from[start + i * step] }
            body(row, row, length)
            for i in 0..<length { to[start + i * step] = row[i] }
          }
        }
      }
    }
  }
}
