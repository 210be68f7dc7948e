import Tensors

/// The recurrent layers.
let recurrentOperators: [any Operator.Type] = [RNN.self, GRU.self, LSTM.self]

/// What all recurrent layers share.
///
/// Inputs: x `[time, batch, input]`, w `[directions, gates · hidden, input]`, r `[directions, gates · hidden, hidden]`,
/// b? `[directions, 2 · gates · hidden]`, lengths? `[batch]`, initial state? `[directions, batch, hidden]`.
public struct RecurrentSettings: Hashable, Sendable {
  /// In which order the steps are taken.
  public let direction: Direction
  /// The number of hidden units; nil where the weights say it.
  public let hiddenSize: Int?
  /// Where gates' inputs are cut off; nil where they aren't.
  public let clip: Float?
  /// The activation functions of each direction in turn.
  public let activations: [RecurrentActivation]
  /// Whether the batch is the outermost axis of x, of the states and of the outputs.
  public let isBatchMajor: Bool

  /// In which order the steps of a sequence are taken.
  public enum Direction: String, CaseIterable, Sendable {
    case forward, reverse, bidirectional
    /// How many sets of weights there are.
    public var count: Int { self == .bidirectional ? 2 : 1 }
  }

  init(_ attributes: inout AttributeReader, activations defaults: [String]) throws {
    direction = try attributes.choice("direction", default: .forward)
    hiddenSize = try attributes.int("hidden_size")
    if let hiddenSize, hiddenSize < 1 {
      throw attributes.invalid("hidden_size", "is \(hiddenSize); must be 1 or greater")
    }
    clip = try attributes.float("clip")
    if let clip, !(clip >= 0) {
      throw attributes.invalid("clip", "is \(clip); must be 0 or greater")
    }
    isBatchMajor = try attributes.flag("layout", default: false)
    activations = try RecurrentActivation.list(
      &attributes, count: defaults.count * direction.count, defaults: defaults)
  }

  /// The types of the sequence of hidden states and of `stateCount` last states.
  func outputTypes(
    _ inputs: OperatorInputs, gates: Int, stateCount: Int
  ) throws -> [ValueType] {
    for index in 0...2 { try inputs.requireRank(index, 3...3) }
    let hidden = try hiddenDimension(inputs, gates: gates)
    let x = inputs[0].dimensions ?? [.unknown, .unknown, .unknown]
    if let size = x[2].length, let other = inputs[1].dimensions?[2].length, size != other {
      throw GraphError(
        .mismatchedTypes,
        "x is \(inputs[0]), w \(inputs[1]): \(size) inputs against \(other)")
    }
    let directions = Dimension.fixed(direction.count)
    let type = inputs[0].elementType
    let sequence =
      isBatchMajor ? [x[0], x[1], directions, hidden] : [x[0], directions, x[1], hidden]
    let state = isBatchMajor ? [x[0], directions, hidden] : [directions, x[1], hidden]
    return [ValueType(type, sequence)]
      + [ValueType](repeating: ValueType(type, state), count: stateCount)
  }

  private func hiddenDimension(_ inputs: OperatorInputs, gates: Int) throws -> Dimension {
    let recurrent = inputs[2].dimensions
    if let size = hiddenSize, let other = recurrent?[2].length, size != other {
      throw GraphError(
        .invalidAttribute,
        "attribute 'hidden_size' is \(size); the recurrent weights are \(inputs[2])")
    }
    let hidden = hiddenSize ?? recurrent?[2].length
    for index in 1...2 {
      guard let weights = inputs[index].dimensions else { continue }
      let rows = weights[1].length
      let fits = rows == nil || hidden == nil || isProduct(rows!, gates, hidden!)
      guard fits, weights[0].length == nil || weights[0].length == direction.count else {
        throw GraphError(
          .mismatchedTypes,
          "input \(index) is \(inputs[index]); must have \(direction.count) directions of "
            + "\(gates) × \(hidden.map(String.init) ?? "?") rows")
      }
    }
    return hidden.map { .fixed($0) } ?? .unknown
  }
}

/// `h = f(x · wᵀ + h₋₁ · rᵀ + b)` for each step of a sequence.
///
/// Outputs: every h `[time, directions, batch, hidden]`, the last h `[directions, batch, hidden]`.
public struct RNN: Operator {
  public static let name: OperatorName = "RNN"
  public static let inputCount = 3...6
  public static let outputCount = 1...2
  /// Direction, size, activations.
  public let settings: RecurrentSettings

  public init(_ attributes: inout AttributeReader) throws {
    settings = try RecurrentSettings(&attributes, activations: ["Tanh"])
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try settings.outputTypes(inputs, gates: 1, stateCount: 1)
  }
}

/// A gated recurrent unit for each step of a sequence; gates in the order update, reset, hidden.
///
/// Outputs: every h `[time, directions, batch, hidden]`, the last h. Cho et al.: Learning Phrase Representations using
/// RNN Encoder–Decoder, 2014.
public struct GRU: Operator {
  public static let name: OperatorName = "GRU"
  public static let inputCount = 3...6
  public static let outputCount = 1...2
  /// Direction, size, activations.
  public let settings: RecurrentSettings
  /// Whether the reset gate is applied after the product with the recurrent weights.
  public let resetsAfterProduct: Bool

  public init(_ attributes: inout AttributeReader) throws {
    settings = try RecurrentSettings(&attributes, activations: ["Sigmoid", "Tanh"])
    resetsAfterProduct = try attributes.flag("linear_before_reset", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try settings.outputTypes(inputs, gates: 3, stateCount: 1)
  }
}

/// A long short-term memory for each step of a sequence; gates in the order input, output, forget, cell.
///
/// Two more inputs: initial cell? `[directions, batch, hidden]`, peepholes? `[directions, 3 · hidden]` (input, output,
/// forget). Outputs: every h `[time, directions, batch, hidden]`, the last h, the last cell. Hochreiter, Schmidhuber, 1997.
public struct LSTM: Operator {
  public static let name: OperatorName = "LSTM"
  public static let inputCount = 3...8
  public static let outputCount = 1...3
  /// Direction, size, activations.
  public let settings: RecurrentSettings
  /// Whether the forget gate is 1 − the input gate.
  public let couplesGates: Bool

  public init(_ attributes: inout AttributeReader) throws {
    settings = try RecurrentSettings(&attributes, activations: ["Sigmoid", "Tanh", "Tanh"])
    couplesGates = try attributes.flag("input_forget", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try settings.outputTypes(inputs, gates: 4, stateCount: 2)
  }
}
