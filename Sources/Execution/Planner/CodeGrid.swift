import Graphs
import Tensors

/// The numbers that codes of at most 16 bits stand for, to which a `QuantizeLinear` with the `DequantizeLinear` behind it rounds
/// others.
struct CodeGrid: Equatable {
  /// As many as `layout` wants, as are the zero points.
  let scales: [Float]
  let zeroPoints: [Int32]
  let codes: ClosedRange<Int32>
  let layout: ScaleSharing.Layout

  /// Whether rounding what was rounded changes nothing: wherever the greatest of the numbers is one.
  var isIdempotent: Bool {
    zip(scales, zeroPoints).allSatisfy { scale, zeroPoint in
      let reach = max(codes.upperBound - zeroPoint, zeroPoint - codes.lowerBound)
      return scale > 0 && (Float(reach) * scale).isFinite
    }
  }

  /// Rounds the values of a tensor that lie as its shape says; where they share one scale, in any order.
  func rounder(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ shape: Shape
  ) -> () -> Void {
    guard layout == .perTensor else {
      return {
        ScaleRuns(shape, layout).forEachRun { elements, first, step in
          if step == 0 { return round(x, y, elements, first) }
          for (offset, index) in elements.enumerated() {
            round(x, y, index..<index + 1, first + offset)
          }
        }
      }
    }
    return ParallelRanges(shape.count) { round(x, y, $0, 0) }.run
  }

  private func round(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ elements: Range<Int>,
    _ scale: Int
  ) {
    Kernels.roundToCodes(
      x + elements.lowerBound, y + elements.lowerBound, count: elements.count,
      scale: scales[scale], zeroPoint: zeroPoints[scale], codes: codes)
  }
}

extension PlanStep {
  /// Numbers become the nearest ones that codes stand for.
  static func round(
    _ source: Slot, to grid: CodeGrid, _ shape: Shape, into target: Slot, label: String
  ) -> PlanStep {
    PlanStep(label, kind: "round to codes", reads: [source], writes: [target]) { arena in
      grid.rounder(arena.pointer(source), into: arena.pointer(target), shape)
    }
  }

  /// The same step with a value that it writes rounded in place, while it is near.
  func rounding(_ slot: Slot, to grid: CodeGrid, _ shape: Shape) -> PlanStep {
    PlanStep(
      label, kind: "\(kind), rounded", reads: reads, writes: writes,
      multiplications: multiplications, weightByteCount: weightByteCount, isReference: isReference
    ) { [bind] arena in
      let run = bind(arena)
      let values = arena.pointer(slot, as: Float.self)
      let round = grid.rounder(values, into: values, shape)
      return {
        try run()
        round()
      }
    }
  }
}
