import Graphs
import Tensors

/// Runs of neighbouring elements, and the scales that belong to them.
struct ScaleRuns {
  /// How a tensor of `count` elements is cut: `runCount` runs of at most `length` elements.
  private let length: Int
  private let runCount: Int
  private let count: Int
  private let layout: ScaleSharing.Layout
  /// The elements of the axis, and inside of it.
  private let axisLength: Int
  private let inner: Int

  init(_ shape: Shape, _ layout: ScaleSharing.Layout) {
    self.layout = layout
    count = shape.count
    switch layout {
    case .perTensor:
      (axisLength, inner) = (1, count)
      length = Elementwise.chunkLength
      runCount = (count + length - 1) / length
    case .perIndex(let axis):
      axisLength = shape[axis]
      inner = shape.count(in: (axis + 1)..<shape.rank)
      length = max(inner == 1 ? axisLength : inner, 1)
      runCount = count / length
    case .perBlock(let axis, let size):
      axisLength = shape[axis]
      inner = shape.count(in: (axis + 1)..<shape.rank)
      length = max(inner == 1 ? min(size, axisLength) : inner, 1)
      let blocks = inner == 1 && axisLength > 0 ? (axisLength + length - 1) / length : 1
      runCount = inner == 1 ? count / max(axisLength, 1) * blocks : count / length
    }
  }

  /// A run: its elements, its first scale, and the distance from one element's scale to the next one's: 0 or 1.
  typealias Body = (_ elements: Range<Int>, _ scale: Int, _ step: Int) -> Void

  /// Calls `body` for every run, on several threads.
  func forEachRun(_ body: Body) {
    let perChunk = max(1, Elementwise.chunkLength / max(length, 1))
    parallelFor((runCount + perChunk - 1) / perChunk) { chunk in
      for run in chunk * perChunk..<min((chunk + 1) * perChunk, runCount) { visit(run, body) }
    }
  }

  private func visit(_ run: Int, _ body: Body) {
    switch layout {
    case .perTensor: body(run * length..<min((run + 1) * length, count), 0, 0)
    case .perIndex:
      let elements = run * length..<(run + 1) * length
      inner == 1 ? body(elements, 0, 1) : body(elements, run % axisLength, 0)
    case .perBlock(_, let size):
      if inner == 1 {
        let blocks = (axisLength + length - 1) / length
        let (row, block) = (run / blocks, run % blocks)
        let first = row * axisLength + block * length
        body(first..<min(first + length, (row + 1) * axisLength), run, 0)
      } else {
        let blocks = (axisLength + size - 1) / size
        let (outer, index) = (run / axisLength, run % axisLength)
        body(run * length..<(run + 1) * length, (outer * blocks + index / size) * inner, 1)
      }
    }
  }
}
