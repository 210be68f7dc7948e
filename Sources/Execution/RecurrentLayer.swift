import Graphs
import Tensors

/// One step of one sequence through a recurrent layer.
protocol RecurrentCell {
  /// How many sets of rows the weights have.
  static var gates: Int { get }
  /// Whether there is a cell state beside the hidden one.
  static var hasCellState: Bool { get }

  /// Moves the states of one sequence a step on.
  ///
  /// `input` and `recurrent` are the products with both weights, biases added, a gate after the other.
  func step(
    input: UnsafePointer<Float>, recurrent: UnsafePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>)
}

/// A recurrent layer in float32: everything but what happens in a cell.
struct RecurrentLayer {
  let settings: RecurrentSettings
  let call: OperatorCall
  let gates: Int
  let time, batch, inputSize, hiddenSize: Int
  /// `[time, batch, input]`.
  private let x: Tensor
  private let weights, recurrentWeights: Tensor
  private let bias: Tensor?
  private let lengths: [Int]
  /// `[directions, batch, hidden]`.
  private let initialHidden, initialCell: Tensor?

  /// Reads and checks the inputs. Throws ``GraphError`` or ``ExecutionError`` where they don't go together.
  init(_ op: some Operator, _ settings: RecurrentSettings, gates: Int, _ call: OperatorCall) throws
  {
    _ = try call.outputTypes(of: op)
    try call.floats(0, 1, 2, 3, 5, 6, 7)
    self.settings = settings
    self.call = call
    self.gates = gates
    let x = try call.input(0)
    self.x = settings.isBatchMajor ? swapOuterAxes(x) : x
    (time, batch, inputSize) = (self.x.shape[0], self.x.shape[1], self.x.shape[2])
    weights = try call.input(1)
    recurrentWeights = try call.input(2)
    hiddenSize = recurrentWeights.shape[2]
    let directions = settings.direction.count
    bias = try RecurrentLayer.checked(call[3], [directions, 2 * gates * hiddenSize], "the bias")
    let lengths = try call.integers(4) ?? [Int](repeating: time, count: batch)
    let steps = 0...time
    guard lengths.count == batch, lengths.allSatisfy(steps.contains) else {
      throw ExecutionError(
        .invalidInput, "the lengths are \(lengths); must be \(batch) numbers of 0 to \(time)")
    }
    self.lengths = lengths
    let state =
      settings.isBatchMajor
      ? [batch, directions, hiddenSize] : [directions, batch, hiddenSize]
    func initial(_ index: Int, _ what: String) throws -> Tensor? {
      let tensor = try RecurrentLayer.checked(call[index], state, what)
      return settings.isBatchMajor ? tensor.map(swapOuterAxes) : tensor
    }
    initialHidden = try initial(5, "the initial state")
    initialCell = try initial(6, "the initial cell")
  }

  /// The tensor, whose shape must be the given one.
  static func checked(_ tensor: Tensor?, _ shape: [Int], _ what: String) throws -> Tensor? {
    guard let tensor, tensor.shape != Shape(shape) else { return tensor }
    throw ExecutionError(.invalidInput, "\(what) is \(tensor); must be of shape \(Shape(shape))")
  }

  /// The hidden states of every step, the last hidden states and, where there are any, the last cell states.
  func run<Cell: RecurrentCell>(_ cell: (_ direction: Int) -> Cell) -> [Tensor] {
    let directions = settings.direction.count
    let size = batch * hiddenSize
    var sequence = [Float](repeating: 0, count: time * directions * size)
    var hidden = initialHidden?.elements() ?? [Float](repeating: 0, count: directions * size)
    var cells = initialCell?.elements() ?? [Float](repeating: 0, count: directions * size)
    for direction in 0..<directions {
      sequence.withUnsafeMutableBufferPointer { sequence in
        hidden.withUnsafeMutableBufferPointer { hidden in
          cells.withUnsafeMutableBufferPointer { cells in
            guard size > 0, (lengths.max() ?? 0) > 0 else { return }
            run(
              cell(direction), direction, sequence.baseAddress,
              hidden.baseAddress! + direction * size, cells.baseAddress! + direction * size)
          }
        }
      }
    }
    let state = Shape([directions, batch, hiddenSize])
    var outputs = [
      Tensor(sequence, shape: Shape([time, directions, batch, hiddenSize])),
      Tensor(hidden, shape: state),
    ]
    if Cell.hasCellState { outputs.append(Tensor(cells, shape: state)) }
    if settings.isBatchMajor {
      outputs = [batchMajorSequence(outputs[0])] + outputs.dropFirst().map(swapOuterAxes)
    }
    return Array(outputs.prefix(call.outputCount))
  }

  private func run(
    _ cell: some RecurrentCell, _ direction: Int, _ sequence: UnsafeMutablePointer<Float>?,
    _ hidden: UnsafeMutablePointer<Float>, _ cells: UnsafeMutablePointer<Float>
  ) {
    let width = gates * hiddenSize
    let isReverse = settings.direction == .reverse || direction == 1
    let directions = settings.direction.count
    let inputs = inputProducts(direction)
    let packed = packed(recurrentWeights, direction, rows: hiddenSize)
    let bias = biasPart(direction, isRecurrent: true)
    var products = [Float](repeating: 0, count: batch * width)
    for step in 0..<(lengths.max() ?? 0) {
      products.withUnsafeMutableBufferPointer { products in
        bias.withUnsafeBufferPointer { bias in
          Kernels.multiply(
            .dense(hidden, stride: hiddenSize), rows: batch, packed,
            epilogue: .init(bias: bias.baseAddress), into: products.baseAddress!, stride: width)
        }
      }
      for row in 0..<batch where step < lengths[row] {
        let at = isReverse ? lengths[row] - 1 - step : step
        let state = hidden + row * hiddenSize
        inputs.withUnsafeBufferPointer { inputs in
          products.withUnsafeBufferPointer { products in
            cell.step(
              input: inputs.baseAddress! + (at * batch + row) * width,
              recurrent: products.baseAddress! + row * width, hidden: state,
              cell: cells + row * hiddenSize)
          }
        }
        let target = ((at * directions + direction) * batch + row) * hiddenSize
        sequence?.advanced(by: target).update(from: state, count: hiddenSize)
      }
    }
  }

  /// One direction's weights `[gates · hidden, rows]`.
  private func packed(_ weights: Tensor, _ direction: Int, rows: Int) -> PackedFloatMatrix {
    let width = gates * hiddenSize
    return weights.withElements(of: Float.self) {
      PackedFloatMatrix(
        $0.baseAddress! + direction * width * rows, rows: rows, columns: width, stride: rows,
        transposed: true)
    }
  }

  /// `x · wᵀ + b` for every step, `[time, batch, gates · hidden]`. Always by the same kernel: how many sequences there are
  /// does not change what becomes of one.
  private func inputProducts(_ direction: Int) -> [Float] {
    let width = gates * hiddenSize
    let bias = biasPart(direction, isRecurrent: false)
    return [Float](unsafeUninitializedCapacity: time * batch * width) { target, count in
      x.withElements(of: Float.self) { x in
        Kernels.multiply(
          .dense(x.baseAddress!, stride: inputSize), rows: time * batch,
          packed(weights, direction, rows: inputSize), epilogue: .init(bias: bias),
          into: target.baseAddress!, stride: width)
      }
      count = time * batch * width
    }
  }

  private func biasPart(_ direction: Int, isRecurrent: Bool) -> [Float] {
    let width = gates * hiddenSize
    guard let bias else { return [Float](repeating: 0, count: width) }
    let start = direction * 2 * width + (isRecurrent ? width : 0)
    return Array(bias.elements(of: Float.self)[start..<(start + width)])
  }

  /// `[time, directions, batch, hidden]` as `[batch, time, directions, hidden]`.
  private func batchMajorSequence(_ x: Tensor) -> Tensor {
    let outer = time * settings.direction.count
    let flat = swapOuterAxes(x.reshaped(to: [outer, batch, hiddenSize]))
    return flat.reshaped(to: [batch, time, settings.direction.count, hiddenSize])
  }
}

/// A float32 tensor of three axes with the first two swapped.
private func swapOuterAxes(_ x: Tensor) -> Tensor {
  let (a, b, c) = (x.shape[0], x.shape[1], x.shape[2])
  return x.withElements(of: Float.self) { x in
    Tensor([b, a, c], of: Float.self) { y in
      for i in 0..<a {
        for j in 0..<b {
          for k in 0..<c { y[(j * a + i) * c + k] = x[(i * b + j) * c + k] }
        }
      }
    }
  }
}
