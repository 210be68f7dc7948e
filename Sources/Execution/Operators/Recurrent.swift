import Graphs
import Tensors

/// The functions of the recurrent layers.
let recurrentFunctions: [OperatorFunction] = [
  OperatorFunction(RNN.self, rnn), OperatorFunction(GRU.self, gru),
  OperatorFunction(LSTM.self, lstm),
]

/// A number cut off at ± a bound.
private struct Clipping {
  let bound: Float?

  func callAsFunction(_ x: Float) -> Float { bound.map { min(max(x, -$0), $0) } ?? x }
}

// MARK: - RNN

private struct PlainCell: RecurrentCell {
  static let gates = 1
  static let hasCellState = false
  let size: Int
  let clip: Clipping
  let activation: RecurrentActivation

  func step(
    input: UnsafePointer<Float>, recurrent: UnsafePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<size { hidden[i] = activation.value(at: clip(input[i] + recurrent[i])) }
  }
}

private func rnn(_ op: RNN, _ call: OperatorCall) throws -> [Tensor] {
  let layer = try RecurrentLayer(op, op.settings, gates: PlainCell.gates, call)
  return layer.run {
    PlainCell(
      size: layer.hiddenSize, clip: Clipping(bound: op.settings.clip),
      activation: op.settings.activations[$0])
  }
}

// MARK: - GRU

private struct GatedCell: RecurrentCell {
  static let gates = 3
  static let hasCellState = false
  let size: Int
  let clip: Clipping
  let gate, candidate: RecurrentActivation
  /// The recurrent weights of the candidate `[hidden, hidden]` and their bias, where the reset gate comes before
  /// the product; nil where after.
  let candidateWeights: (weights: [Float], bias: [Float])?

  func step(
    input: UnsafePointer<Float>, recurrent: UnsafePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>
  ) {
    let reset = (0..<size).map { gate.value(at: clip(input[size + $0] + recurrent[size + $0])) }
    var product = [Float](repeating: 0, count: size)
    if let candidateWeights {
      let masked = (0..<size).map { reset[$0] * hidden[$0] }
      candidateWeights.weights.withUnsafeBufferPointer { weights in
        for i in 0..<size {
          product[i] = Float(Kernels.dot(masked, weights.baseAddress! + i * size, count: size))
          product[i] += candidateWeights.bias[i]
        }
      }
    } else {
      for i in 0..<size { product[i] = reset[i] * recurrent[2 * size + i] }
    }
    for i in 0..<size {
      let update = gate.value(at: clip(input[i] + recurrent[i]))
      let new = candidate.value(at: clip(input[2 * size + i] + product[i]))
      hidden[i] = (1 - update) * new + update * hidden[i]
    }
  }
}

private func gru(_ op: GRU, _ call: OperatorCall) throws -> [Tensor] {
  let layer = try RecurrentLayer(op, op.settings, gates: GatedCell.gates, call)
  let size = layer.hiddenSize
  let weights: [Float] = try call.input(2).elements()
  let bias: [Float]? = call[3]?.elements()
  return layer.run { direction in
    var candidateWeights: ([Float], [Float])?
    if !op.resetsAfterProduct {
      let start = (direction * 3 + 2) * size * size
      let biasStart = (direction * 6 + 5) * size
      candidateWeights = (
        Array(weights[start..<(start + size * size)]),
        bias.map { Array($0[biasStart..<(biasStart + size)]) }
          ?? [Float](repeating: 0, count: size)
      )
    }
    return GatedCell(
      size: size, clip: Clipping(bound: op.settings.clip),
      gate: op.settings.activations[2 * direction],
      candidate: op.settings.activations[2 * direction + 1], candidateWeights: candidateWeights)
  }
}

// MARK: - LSTM

private struct MemoryCell: RecurrentCell {
  static let gates = 4
  static let hasCellState = true
  let size: Int
  let clip: Clipping
  let gate, candidate, output: RecurrentActivation
  let couplesGates: Bool
  /// For the input, output and forget gates in turn; zeros where there are none.
  let peepholes: [Float]

  func step(
    input: UnsafePointer<Float>, recurrent: UnsafePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>
  ) {
    func sum(_ set: Int, _ i: Int) -> Float { input[set * size + i] + recurrent[set * size + i] }
    for i in 0..<size {
      let old = cell[i]
      let enter = gate.value(at: clip(sum(0, i) + peepholes[i] * old))
      let keep =
        couplesGates
        ? 1 - enter : gate.value(at: clip(sum(2, i) + peepholes[2 * size + i] * old))
      let new = keep * old + enter * candidate.value(at: clip(sum(3, i)))
      let leave = gate.value(at: clip(sum(1, i) + peepholes[size + i] * new))
      cell[i] = new
      hidden[i] = leave * output.value(at: new)
    }
  }
}

private func lstm(_ op: LSTM, _ call: OperatorCall) throws -> [Tensor] {
  let layer = try RecurrentLayer(op, op.settings, gates: MemoryCell.gates, call)
  let size = layer.hiddenSize
  let directions = op.settings.direction.count
  let given = try RecurrentLayer.checked(call[7], [directions, 3 * size], "the peepholes")
  let peepholes: [Float] =
    given?.elements() ?? [Float](repeating: 0, count: directions * 3 * size)
  return layer.run { direction in
    MemoryCell(
      size: size, clip: Clipping(bound: op.settings.clip),
      gate: op.settings.activations[3 * direction],
      candidate: op.settings.activations[3 * direction + 1],
      output: op.settings.activations[3 * direction + 2], couplesGates: op.couplesGates,
      peepholes: Array(peepholes[(direction * 3 * size)..<((direction + 1) * 3 * size)]))
  }
}
