import Tensors

/// A program whose memory is known.
struct BoundRowProgram {
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
  private let bases: [UnsafeRawPointer]
  private let targets: [UnsafeMutableRawPointer]
  /// The output that holds the numbers of each instruction, if one does.
  private let directOutputs: [Int?]
  /// Where in a thread's memory the results of each instruction lie for a block.
  private let registers: [Int]
  private let registerCount: Int
  /// The numbers that stand for themselves.
  private let numbers: PinnedElements<Float>

  init(_ program: RowProgram, _ arena: Arena) {
    self.program = program
    bases = program.inputs.map { input in
      switch input.source {
      case .slot(let slot), .codes(let slot, _): UnsafeRawPointer(arena.bytes(slot))
      case .constant(let elements): UnsafeRawPointer(elements.start)
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
    self.numbers = PinnedElements(numbers)
  }

  /// Some rows, and the memory of the thread that works on them.
  private struct Block {
    var first, count: Int
    let memory: UnsafeMutablePointer<Float>
  }

  /// The numbers of a place in a thread's memory.
  private var capacity: Int { (program.blockRows * program.length + 15) & ~15 }

  func run(_ rows: Range<Int>) {
    let memory = Kernels.threadMemory(
      floats: (registerCount + program.inputs.count) * capacity)
    var block = Block(first: rows.lowerBound, count: 0, memory: memory)
    while block.first < rows.upperBound {
      block.count = min(program.blockRows, rows.upperBound - block.first)
      runBlock(block)
      block.first += block.count
    }
  }

  /// Where instruction `index` puts its numbers.
  private func target(_ index: Int, _ block: Block) -> UnsafeMutablePointer<Float> {
    guard let output = directOutputs[index] else {
      return block.memory + registers[index] * capacity
    }
    return targets[output].assumingMemoryBound(to: Float.self)
      + block.first * width(program.instructions[index].isNarrow)
  }

  private func runBlock(_ block: Block) {
    for (index, input) in program.inputs.enumerated() {
      guard case .codes(_, let codes) = input.source else { continue }
      let isNarrow = input.step == 0
      Kernels.dequantize(
        bases[index].assumingMemoryBound(to: UInt8.self) + block.first * width(isNarrow),
        block.memory + (registerCount + index) * capacity, count: block.count * width(isNarrow),
        scale: codes.scale, zeroPoint: codes.unsignedZeroPoint)
    }
    for index in program.instructions.indices { run(index, block) }
    for (index, output) in program.outputs.enumerated() {
      guard let (codes, clamp) = output.codes else { continue }
      let width = width(program.instructions[output.instruction].isNarrow)
      let y = targets[index].assumingMemoryBound(to: UInt8.self) + block.first * width
      Kernels.quantize(
        target(output.instruction, block), y, count: block.count * width, scale: codes.scale,
        zeroPoint: codes.unsignedZeroPoint, codes: 0...255)
      if clamp != 0...255 { Kernels.clamp(y, y, count: block.count * width, to: clamp) }
    }
  }

  private func width(_ isNarrow: Bool) -> Int { isNarrow ? 1 : program.length }

  private func run(_ index: Int, _ block: Block) {
    let instruction = program.instructions[index]
    let y = target(index, block)
    let width = width(instruction.isNarrow)
    let (rows, length) = (block.count, program.length)
    switch instruction.operation {
    case .binary(let operation, let a, let b):
      combine(
        operation, place(a, of: index, 0, block), place(b, of: index, 1, block), y, block, width)
    case .unary(let function, let x):
      Kernels.apply(function, place(x, of: index, 0, block).start, y, count: rows * width)
    case .clamp(let range, let x):
      Kernels.clamp(place(x, of: index, 0, block).start, y, count: rows * width, to: range)
    case .squareRoot(let x):
      let x = place(x, of: index, 0, block).start
      for i in 0..<rows * width { y[i] = x[i].squareRoot() }
    case .mean(let x):
      let x = place(x, of: index, 0, block).start
      for row in 0..<rows {
        y[row] = Float(Kernels.sums(x + row * length, count: length).sum / Double(length))
      }
    case .softmax(let x):
      Kernels.softmax(place(x, of: index, 0, block).start, y, rows: rows, count: length)
    case .layerNorm(let x, let gamma, let beta, let epsilon):
      let x = place(x, of: index, 0, block).start
      Kernels.layerNorm(
        x, gamma: gamma.start, beta: beta?.start, epsilon: epsilon, y, rows: rows, count: length)
    }
  }

  /// Where operand number `position` of an instruction lies.
  private func place(
    _ operand: RowProgram.Operand, of index: Int, _ position: Int, _ block: Block
  ) -> Place {
    switch operand {
    case .number: return Place(start: numbers.start + 2 * index + position, rowStride: 0, step: 0)
    case .value(let value):
      let isNarrow = program.instructions[value].isNarrow
      let isSpread = isNarrow && !program.instructions[index].isNarrow && program.length > 1
      return Place(
        start: UnsafePointer(target(value, block)), rowStride: width(isNarrow),
        step: isSpread ? 0 : 1)
    case .input(let input):
      let found = program.inputs[input]
      if case .codes = found.source {
        return Place(
          start: UnsafePointer(block.memory + (registerCount + input) * capacity),
          rowStride: found.rowStride, step: found.step)
      }
      let base = UnsafePointer(bases[input].assumingMemoryBound(to: Float.self))
      return Place(
        start: found.rowStride.map { base + block.first * $0 } ?? base,
        rowStride: found.rowStride, step: found.step, input: input)
    }
  }

  /// All rows at once where both operands are one run or one number, else row by row.
  private func combine(
    _ operation: Kernels.Binary, _ a: Place, _ b: Place, _ y: UnsafeMutablePointer<Float>,
    _ block: Block, _ width: Int
  ) {
    let (first, count) = (block.first, block.count)
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
