import Graphs
import Tensors

/// Operations on rows of numbers and one row for all of them, or one number for each.
extension PlanBuilder {
  /// A value, and numbers that come again along it.
  private struct RowOperands {
    /// The positions of both among the node's inputs.
    let values: Int
    let numbers: Int
    /// How long a row is.
    let length: Int
    /// Whether each row has one number, rather than all rows one for each element.
    let isOnePerRow: Bool
  }

  /// How the inputs of a node pair up; nil where neither is rows of the other.
  private func rowOperands(_ node: Node) throws -> RowOperands? {
    let output = try type(of: node.outputs[0]).shape
    guard output.rank > 0, output.count > 0 else { return nil }
    for (values, numbers) in [(0, 1), (1, 0)]
    where try type(of: node.inputs[values]).shape == output {
      let shape = try type(of: node.inputs[numbers]).shape
      let lengths = Array(shape.dimensions.drop { $0 == 1 })
      if !lengths.isEmpty, Array(output.dimensions.suffix(lengths.count)) == lengths {
        return RowOperands(
          values: values, numbers: numbers, length: shape.count, isOnePerRow: false)
      }
      if shape.rank == output.rank, shape[-1] == 1,
        shape.dimensions.dropLast() == output.dimensions.dropLast()
      {
        return RowOperands(
          values: values, numbers: numbers, length: output[-1], isOnePerRow: true)
      }
    }
    return nil
  }

  /// Lowers an operation on a value and a row, several rows, or a column of numbers.
  mutating func lowerWithRows(_ node: Node, _ operation: Kernels.Binary) throws -> Bool {
    guard let operands = try rowOperands(node), try constant(node.inputs[operands.values]) == nil
    else { return false }
    let source = try rowMajor(node.inputs[operands.values])
    let name = node.inputs[operands.numbers]
    let numbers = try constant(name).map { RowSource.constant($0) } ?? .value(try rowMajor(name))
    let target = try newSlot(for: node.outputs[0], Form(layout: .rowMajor))
    let rows = try type(of: node.outputs[0]).shape.count / operands.length
    steps.append(
      PlanStep(
        node.label, kind: "float \(operation)", reads: [source] + numbers.slots, writes: [target],
        weightByteCount: numbers.byteCount
      ) { arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        let numbers = RowNumbers(numbers, in: arena)
        let row = RowOperation(operation, operands.length, isReversed: operands.values == 1)
        return ParallelRanges(rows, grain: max(1, (1 << 12) / operands.length)) { part in
          for index in part {
            let start = index * operands.length
            if operands.isOnePerRow {
              row.apply(x + start, numbers.start[index], y + start)
            } else {
              row.apply(x + start, numbers.start, y + start)
            }
          }
        }.run
      })
    return true
  }
}

/// Where the numbers of rows come from.
private enum RowSource {
  case constant(Tensor)
  case value(Slot)

  var slots: [Slot] { if case .value(let slot) = self { [slot] } else { [] } }

  var byteCount: Int { if case .constant(let tensor) = self { tensor.byteCount } else { 0 } }
}

/// Where they lie, once their memory is known.
private struct RowNumbers {
  /// Keeps a constant alive.
  private let owner: PinnedElements<Float>?
  let start: UnsafePointer<Float>

  init(_ source: RowSource, in arena: Arena) {
    switch source {
    case .constant(let tensor):
      let pinned = PinnedElements<Float>(tensor)
      (owner, start) = (pinned, pinned.start)
    case .value(let slot): (owner, start) = (nil, UnsafePointer(arena.pointer(slot)))
    }
  }
}

/// An operation on one row.
private struct RowOperation {
  let operation: Kernels.Binary
  let length: Int
  /// Whether the row is the second operand.
  let isReversed: Bool

  init(_ operation: Kernels.Binary, _ length: Int, isReversed: Bool) {
    (self.operation, self.length, self.isReversed) = (operation, length, isReversed)
  }

  func apply(
    _ x: UnsafePointer<Float>, _ row: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    let (a, b) = isReversed ? (row, x) : (x, row)
    Kernels.apply(operation, a, b, y, count: length)
  }

  func apply(_ x: UnsafePointer<Float>, _ number: Float, _ y: UnsafeMutablePointer<Float>) {
    if isReversed {
      Kernels.apply(operation, number, x, y, count: length)
    } else {
      Kernels.apply(operation, x, number, y, count: length)
    }
  }
}
