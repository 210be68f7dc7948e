import Graphs
import Tensors

/// The parts of a channel that a pooling window lies over, one axis at a time, for up to three spatial axes.
struct PoolingWindows {
  /// The window's way along each of three axes; those that are missing have one element.
  let axes: [SlidingWindow.Axis]
  /// For each axis and position, the input indices under the window.
  private let parts: [[Part]]

  /// The input elements under a window along one axis: `first`, `first + step`, … below `end`.
  struct Part {
    var first: Int
    var end: Int
    /// How many kernel elements lie on the input or its padding.
    var padded: Int
  }

  init(_ axes: [SlidingWindow.Axis]) throws {
    guard axes.count <= 3 else {
      throw ExecutionError(
        .unsupported, "\(axes.count) spatial axes; pooling is computed for 3 at most")
    }
    self.axes = [SlidingWindow.Axis](repeating: .single, count: 3 - axes.count) + axes
    parts = self.axes.map { axis in (0..<axis.output).map { PoolingWindows.part(axis, $0) } }
  }

  private static func part(_ axis: SlidingWindow.Axis, _ position: Int) -> Part {
    let start = position * axis.stride - axis.padBegin
    let skipped = start < 0 ? (-start + axis.dilation - 1) / axis.dilation : 0
    let limit = min(start + axis.reach, axis.input + axis.padEnd)
    return Part(
      first: start + skipped * axis.dilation, end: min(start + axis.reach, axis.input),
      padded: limit > start ? (limit - start + axis.dilation - 1) / axis.dilation : 0)
  }

  /// The number of input elements and of positions of a channel.
  var inputCount: Int { axes.reduce(1) { $0 * $1.input } }
  var outputCount: Int { axes.reduce(1) { $0 * $1.output } }

  /// Calls `body` for each position of a channel, in order, with the parts of the window.
  @inline(__always)
  func forEachPosition(_ body: (_ position: Int, _ d: Part, _ h: Part, _ w: Part) -> Void) {
    var position = 0
    for d in parts[0] {
      for h in parts[1] {
        for w in parts[2] {
          body(position, d, h, w)
          position += 1
        }
      }
    }
  }

  /// How many elements each position's window has, in order; those of the padding with `countsPadding` only.
  func elementCounts(countsPadding: Bool) -> [Int] {
    var counts: [Int] = []
    counts.reserveCapacity(outputCount)
    forEachPosition { _, d, h, w in
      var count = 0
      if countsPadding {
        count = d.padded * h.padded * w.padded
      } else {
        forEachElement(d, h, w) { _ in count += 1 }
      }
      counts.append(count)
    }
    return counts
  }

  /// Calls `body` with the index of each input element under a window, in order.
  @inline(__always)
  func forEachElement(_ d: Part, _ h: Part, _ w: Part, _ body: (Int) -> Void) {
    let (height, width) = (axes[1].input, axes[2].input)
    let steps = (axes[0].dilation, axes[1].dilation, axes[2].dilation)
    for i in stride(from: d.first, to: d.end, by: steps.0) {
      for j in stride(from: h.first, to: h.end, by: steps.1) {
        let row = (i * height + j) * width
        for k in stride(from: w.first, to: w.end, by: steps.2) { body(row + k) }
      }
    }
  }
}
