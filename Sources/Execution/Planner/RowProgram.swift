import Tensors

/// Operations on numbers and on whole rows that follow each other, computed block by block of rows: what comes between stays in
/// the cache.
///
/// Each operation is that of its node, with the same roundings in the same order: results are bit-equal to those of one step a
/// node.
struct RowProgram: Sendable {
  /// What an instruction reads.
  enum Operand: Sendable {
    /// The result of an earlier instruction.
    case value(Int)
    /// One of ``inputs``.
    case input(Int)
    case number(Float)
  }

  enum Operation: Sendable {
    case binary(Kernels.Binary, Operand, Operand)
    case unary(Kernels.Unary, Operand)
    case clamp(ClosedRange<Float>, Operand)
    case squareRoot(Operand)
    /// One number of each row.
    case mean(Operand)
    case softmax(Operand)
    /// gamma, beta: as long as a row.
    case layerNorm(
      Operand, gamma: PinnedElements<Float>, beta: PinnedElements<Float>?, epsilon: Float)

    var isRowWise: Bool {
      switch self {
      case .mean, .softmax, .layerNorm: true
      default: false
      }
    }

    var operands: [Operand] {
      switch self {
      case .binary(_, let a, let b): [a, b]
      case .unary(_, let x), .clamp(_, let x), .squareRoot(let x), .mean(let x), .softmax(let x),
        .layerNorm(let x, _, _, _):
        [x]
      }
    }
  }

  struct Instruction: Sendable {
    let operation: Operation
    /// Whether it gives one number a row.
    let isNarrow: Bool
  }

  /// Where an input's rows begin.
  struct Input: Sendable {
    enum Source: Sendable {
      case slot(Slot)
      case codes(Slot, PlanBuilder.Codes)
      case constant(PinnedElements<Float>)
    }
    let source: Source
    /// Row `r` begins at the sum over these of `r / divisor % length × stride`.
    let axes: [(divisor: Int, length: Int, stride: Int)]
    /// The elements from neighbour to neighbour of a row: 1, or 0 where one number stands for all.
    let step: Int
    /// The elements from row to row where they are evenly apart.
    let rowStride: Int?

    func start(_ row: Int) -> Int {
      if let rowStride { return row * rowStride }
      return axes.reduce(0) { $0 + row / $1.divisor % $1.length * $1.stride }
    }
  }

  /// A result that somebody else reads.
  struct Output: Sendable {
    let instruction: Int
    let slot: Slot
    /// What its codes mean and are clamped to, where it is stored as codes.
    let codes: (meaning: PlanBuilder.Codes, clamp: ClosedRange<UInt8>)?
  }

  var rows: Int
  var length: Int
  var inputs: [Input] = []
  var instructions: [Instruction] = []
  var outputs: [Output] = []

  /// The numbers of a block, about: what a few of them leave room for in the first-level cache.
  private static let blockLength = 1 << 11
  /// The numbers below which a thread does all.
  private static let grain = 1 << 12

  /// Rows of the blocks.
  var blockRows: Int { max(1, Self.blockLength / max(length, 1)) }

  /// The slots that are read and written.
  var reads: [Slot] {
    inputs.compactMap {
      switch $0.source {
      case .slot(let slot), .codes(let slot, _): slot
      case .constant: nil
      }
    }
  }

  /// A place for each result, given to another once nobody reads it any more.
  var registers: [Int] {
    var lastUses = [Int](repeating: 0, count: instructions.count)
    for (index, instruction) in instructions.enumerated() {
      lastUses[index] = index
      for case .value(let value) in instruction.operation.operands { lastUses[value] = index }
    }
    for output in outputs { lastUses[output.instruction] = instructions.count }
    var owners: [Int] = []
    return instructions.indices.map { index in
      let free = owners.firstIndex { lastUses[$0] < index }
      if let free { owners[free] = index } else { owners.append(index) }
      return free ?? owners.count - 1
    }
  }

  /// What makes one step of it.
  func bind(_ arena: Arena) -> () -> Void {
    let bound = BoundRowProgram(self, arena)
    return ParallelRanges(rows, grain: max(1, Self.grain / max(length, 1))) { bound.run($0) }.run
  }
}
