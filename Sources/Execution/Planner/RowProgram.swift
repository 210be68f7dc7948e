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
    case layerNorm(Operand, gamma: Tensor, beta: Tensor?, epsilon: Float)

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
      case constant(Tensor)
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

/// A program whose memory is known.
private struct BoundRowProgram {
  /// Where an operand lies for a block of rows.
  private struct Place {
    var start: UnsafePointer<Float>
    /// From row to row; nil where they are not evenly apart.
    var rowStride: Int?
    var step: Int
    /// The input whose rows are not evenly apart.
    var input = 0
  }

  private let program: RowProgram
  private let bases: [UnsafeMutableRawPointer]
  private let targets: [UnsafeMutableRawPointer]
  /// The output that holds the numbers of each instruction, if one does.
  private let directOutputs: [Int?]
  /// Where in a thread's memory the results of each instruction lie for a block.
  private let registers: [Int]
  private let registerCount: Int
  /// The numbers that stand for themselves.
  private let numbers: Tensor
  private let numberBase: UnsafePointer<Float>
  private let constants: [Tensor]

  init(_ program: RowProgram, _ arena: Arena) {
    self.program = program
    bases = program.inputs.map { input in
      switch input.source {
      case .slot(let slot), .codes(let slot, _): arena.bytes(slot)
      case .constant(let tensor):
        tensor.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress!) }
      }
    }
    targets = program.outputs.map { arena.bytes($0.slot) }
    directOutputs = program.instructions.indices.map { index in
      program.outputs.firstIndex { $0.instruction == index && $0.codes == nil }
    }
    registers = program.registers
    registerCount = (registers.max() ?? 0) + 1
    let numbers = Tensor(
      program.instructions.flatMap { instruction in
        instruction.operation.operands.map { operand in
          if case .number(let number) = operand { number } else { 0 as Float }
        } + [Float](repeating: 0, count: 2 - instruction.operation.operands.count)
      } + [0])
    self.numbers = numbers
    numberBase = numbers.withElements(of: Float.self) { $0.baseAddress! }
    constants = program.inputs.compactMap {
      if case .constant(let tensor) = $0.source { tensor } else { nil }
    }
  }

  func run(_ rows: Range<Int>) {
    let capacity = (program.blockRows * program.length + 15) & ~15
    let memory = Kernels.threadMemory(
      floats: (registerCount + program.inputs.count) * capacity)
    var first = rows.lowerBound
    while first < rows.upperBound {
      let count = min(program.blockRows, rows.upperBound - first)
      runBlock(first, count, memory, capacity)
      first += count
    }
  }

  /// Where instruction `index` puts its numbers.
  private func target(
    _ index: Int, _ first: Int, _ memory: UnsafeMutablePointer<Float>, _ capacity: Int
  ) -> UnsafeMutablePointer<Float> {
    guard let output = directOutputs[index] else { return memory + registers[index] * capacity }
    let width = program.instructions[index].isNarrow ? 1 : program.length
    return targets[output].assumingMemoryBound(to: Float.self) + first * width
  }

  private func runBlock(
    _ first: Int, _ count: Int, _ memory: UnsafeMutablePointer<Float>, _ capacity: Int
  ) {
    let length = program.length
    for (index, input) in program.inputs.enumerated() {
      guard case .codes(_, let codes) = input.source else { continue }
      let width = input.step == 0 ? 1 : length
      Kernels.dequantize(
        bases[index].assumingMemoryBound(to: UInt8.self) + first * width,
        memory + (registerCount + index) * capacity, count: count * width,
        scale: codes.scale, zeroPoint: codes.unsignedZeroPoint)
    }
    for (index, instruction) in program.instructions.enumerated() {
      let y = target(index, first, memory, capacity)
      let width = instruction.isNarrow ? 1 : length
      func place(_ operand: RowProgram.Operand, _ position: Int = 0) -> Place {
        switch operand {
        case .number: return Place(start: numberBase + 2 * index + position, rowStride: 0, step: 0)
        case .value(let value):
          let isNarrow = program.instructions[value].isNarrow
          return Place(
            start: UnsafePointer(target(value, first, memory, capacity)),
            rowStride: isNarrow ? 1 : length, step: isNarrow && width > 1 ? 0 : 1)
        case .input(let input):
          let found = program.inputs[input]
          if case .codes = found.source {
            return Place(
              start: UnsafePointer(memory + (registerCount + input) * capacity),
              rowStride: found.rowStride, step: found.step)
          }
          let base = UnsafePointer(bases[input].assumingMemoryBound(to: Float.self))
          return Place(
            start: found.rowStride.map { base + first * $0 } ?? base, rowStride: found.rowStride,
            step: found.step, input: input)
        }
      }
      switch instruction.operation {
      case .binary(let operation, let a, let b):
        combine(operation, place(a), place(b, 1), y, first, count, width)
      case .unary(let function, let x):
        Kernels.apply(function, place(x).start, y, count: count * width)
      case .clamp(let range, let x):
        Kernels.clamp(place(x).start, y, count: count * width, to: range)
      case .squareRoot(let x):
        let x = place(x).start
        for i in 0..<count * width { y[i] = x[i].squareRoot() }
      case .mean(let x):
        let x = place(x).start
        for row in 0..<count {
          y[row] = Float(Kernels.sums(x + row * length, count: length).sum / Double(length))
        }
      case .softmax(let x):
        Kernels.softmax(place(x).start, y, rows: count, count: length)
      case .layerNorm(let x, let gamma, let beta, let epsilon):
        let x = place(x).start
        gamma.withElements(of: Float.self) { gamma in
          func normalize(_ beta: UnsafePointer<Float>?) {
            Kernels.layerNorm(
              x, gamma: gamma.baseAddress, beta: beta, epsilon: epsilon, y, rows: count,
              count: length)
          }
          if let beta {
            beta.withElements(of: Float.self) { normalize($0.baseAddress) }
          } else {
            normalize(nil)
          }
        }
      }
    }
    for (index, output) in program.outputs.enumerated() {
      guard let (codes, clamp) = output.codes else { continue }
      let width = program.instructions[output.instruction].isNarrow ? 1 : length
      let x = target(output.instruction, first, memory, capacity)
      let y = targets[index].assumingMemoryBound(to: UInt8.self) + first * width
      Kernels.quantize(
        x, y, count: count * width, scale: codes.scale, zeroPoint: codes.unsignedZeroPoint,
        codes: 0...255)
      if clamp != 0...255 { Kernels.clamp(y, y, count: count * width, to: clamp) }
    }
  }

  /// All rows at once where both operands are one run or one number, else row by row.
  private func combine(
    _ operation: Kernels.Binary, _ a: Place, _ b: Place, _ y: UnsafeMutablePointer<Float>,
    _ first: Int, _ count: Int, _ width: Int
  ) {
    func isEven(_ place: Place) -> Bool {
      count == 1 ? place.rowStride != nil : place.rowStride == width * place.step
    }
    if isEven(a), isEven(b) {
      return Kernels.apply(
        operation, a.start, step: a.step, b.start, step: b.step, y, count: count * width)
    }
    func start(_ place: Place, _ row: Int) -> UnsafePointer<Float> {
      place.start
        + (place.rowStride.map { $0 * row } ?? program.inputs[place.input].start(first + row))
    }
    for row in 0..<count {
      Kernels.apply(
        operation, start(a, row), step: a.step, start(b, row), step: b.step, y + row * width,
        count: width)
    }
  }
}
