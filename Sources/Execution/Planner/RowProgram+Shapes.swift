import Graphs
import Tensors

extension RowProgram.Input {
  /// A value of `shape`, broadcast to rows of `whole`.
  init(_ source: Source, _ shape: Shape, in whole: Shape) {
    self.source = source
    let lengths = [Int](repeating: 1, count: whole.rank - shape.rank) + shape.dimensions
    var axes: [(divisor: Int, length: Int, stride: Int)] = []
    var stride = lengths.last ?? 1
    var divisor = 1
    for axis in lengths.indices.dropLast().reversed() {
      if lengths[axis] > 1 {
        if let outer = axes.last, outer.divisor * outer.length == divisor,
          outer.stride * outer.length == stride
        {
          axes[axes.count - 1].length *= lengths[axis]
        } else {
          axes.append((divisor, lengths[axis], stride))
        }
        stride *= lengths[axis]
      }
      divisor *= whole[axis]
    }
    self.axes = axes
    if axes.isEmpty {
      rowStride = 0
    } else if axes.count == 1, axes[0].divisor == 1, axes[0].length == divisor {
      rowStride = axes[0].stride
    } else {
      rowStride = nil
    }
    let isOneNumber = whole.rank == 0 || whole[-1] == 1
    step = lengths.last ?? 1 > 1 || isOneNumber && rowStride == 1 ? 1 : 0
  }
}

extension RowProgram {
  /// The same over one long row where no instruction looks at rows.
  var flattened: RowProgram {
    let isPlain =
      instructions.allSatisfy { !$0.isNarrow && !$0.operation.isRowWise }
      && inputs.allSatisfy { $0.step == 1 && ($0.rowStride == length || rows == 1) }
    guard isPlain, length > 1 else { return self }
    var program = self
    program.rows = rows * length
    program.length = 1
    program.inputs = inputs.map { Input(flat: $0.source) }
    return program
  }

  /// The table of each output, where all are codes that follow from one value's codes, element by element.
  var tables: [(source: Slot, table: [UInt8], target: Slot)]? {
    guard length == 1, inputs.count == 1, case .codes(let source, _) = inputs[0].source,
      inputs[0].rowStride == 1, outputs.allSatisfy({ $0.codes != nil })
    else { return nil }
    var program = self
    program.rows = 256
    let slots = ([source] + outputs.map(\.slot)).map(\.index)
    var offsets = [Int](repeating: 0, count: slots.max()! + 1)
    for (place, slot) in slots.enumerated() { offsets[slot] = 256 * place }
    let memory = Tensor([UInt8](0...255) + [UInt8](repeating: 0, count: 256 * outputs.count))
    let base = memory.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress!) }
    program.bind(Arena(base: base, offsets: offsets, owner: memory))()
    let results = memory.elements(of: UInt8.self)
    return outputs.enumerated().map { index, output in
      (source, Array(results[256 * (index + 1)..<256 * (index + 2)]), output.slot)
    }
  }
}

extension RowProgram.Input {
  /// A value of which every number is a row.
  init(flat source: Source) {
    (self.source, axes, step, rowStride) = (source, [], 1, 1)
  }
}
