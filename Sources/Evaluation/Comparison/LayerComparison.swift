public import Datasets
import Execution
public import Graphs
import NumberFormats
import Tensors

/// Runs a float network and its quantized form on a dataset and compares their values layer by layer.
///
/// Two errors of each value are told: the *accumulated* one, when both networks run from their inputs, and the *isolated* one,
/// when the layer alone is quantized and reads the float network's values. Values match by name.
///
/// Cross-layer equalization multiplies the channels of inner values by factors, so that they differ from those of the network as
/// it was before. Where `isAligned`, such factors are told from the weights of both networks, and values are compared after
/// division by them, channels along axis 1; ``NetworkComparison/alignedLayers`` says which. Else the float network must
/// be the one that was quantized, after its transforms. Outputs are compared as they are.
///
/// Both networks run as ``CompiledModel``, so that accumulated errors are those of the deployed arithmetic. A value that a fused
/// step computes past, as a convolution's before a Relu, does not exist there: its layer is told by the next value. A layer alone
/// reads numbers that are no codes, so that there is no integer arithmetic for it: it runs in float.
///
/// Samples go by one at a time; the values of one sample are held, those of the dataset never.
///
/// Throws ``EvaluationError`` where the networks have no value in common, and what running and reading throw.
public func compareLayers(
  of quantized: Model, with float: Model, on dataset: Dataset, isAligned: Bool = false,
  progress: Evaluation.Progress? = nil
) throws -> NetworkComparison {
  let batches = dataset.batches(of: 1)
  var comparison = try LayerComparison(
    quantized, float, example: try batches.first.map { try dataset.batch($0.indices) })
  if isAligned { try comparison.findFactors() }
  for (index, batch) in batches.enumerated() {
    try comparison.run(try dataset.batch(batch.indices))
    progress?(index + 1, batches.count)
  }
  return comparison.result(sampleCount: dataset.count)
}

/// The state of a comparison while samples go by.
private struct LayerComparison {
  /// A value that both networks have, and the part of the quantized network that computes it from others.
  private struct Step {
    let float: String
    let quantized: String
    let node: Node?
    let floatPart: GraphSegment
    let quantizedPart: GraphSegment
    /// Runs the part alone; nil where nothing in it is quantized.
    let part: Interpreter?
    /// The float value for each of the part's inputs.
    let borders: [(name: String, float: String)]
    var accumulated = ErrorStatistics()
    var isolated = ErrorStatistics()

    /// What to call the value where people read.
    var label: String {
      guard let node else { return "input \(float)" }
      guard node.outputs.count(where: { !$0.isEmpty }) > 1 else { return node.label }
      return "\(node.name.isEmpty ? "\(node.operation)" : node.name) → \(float)"
    }
  }

  private let float: CompiledModel
  private let quantized: CompiledModel
  private let quantizedModel: Model
  /// The values of the float network that are looked at.
  private let wanted: Set<String>
  private var steps: [Step] = []
  /// By how much the quantized network's channels are larger, by the float value's name.
  private var factors: [String: [Float]] = [:]
  private var outputs: [(name: String, error: ErrorStatistics)]

  /// `example` says what values exist; nil: all do.
  init(_ quantizedModel: Model, _ floatModel: Model, example: [String: Tensor]?) throws {
    quantized = try CompiledModel(quantizedModel)
    self.quantizedModel = quantizedModel
    outputs = floatModel.graph.outputs.map { ($0.name, ErrorStatistics()) }
    let mismatch = EvaluationError(
      .mismatch,
      "the networks have no value in common; compare a network with its own quantized form")
    let names = ValueMatching(quantizedModel.graph, to: floatModel.graph).pairs
    guard !names.isEmpty else { throw mismatch }
    let matching = ValueMatching(
      quantizedModel.graph, to: floatModel.graph,
      existing: try example.map(quantized.existingValues))
    wanted = Set(matching.pairs.map(\.float))
    float = try CompiledModel(floatModel, keeping: wanted)
    for (name, stand) in matching.pairs {
      let floatPart = floatModel.graph.segment(computing: name) { wanted.contains($0) }
      // What stands for this very value is computed here; what stands for others is given.
      let part = quantizedModel.graph.segment(computing: stand) {
        matching.floatNames[$0].map { $0 != name } ?? false
      }
      if part.graph.nodes.isEmpty { continue }
      var partModel = quantizedModel
      partModel.graph = part.graph
      steps.append(
        Step(
          float: name, quantized: stand, node: floatPart.mainNode, floatPart: floatPart,
          quantizedPart: part,
          part: part.isQuantized ? try Interpreter(partModel) : nil,
          borders: part.graph.inputs.map { ($0.name, matching.floatNames[$0.name] ?? $0.name) }))
    }
    guard !steps.isEmpty else { throw mismatch }
  }

  /// Tells the factors of channels of inner values from the weights, in the order of the network.
  mutating func findFactors() throws {
    let outputs = Set(outputs.map(\.name))
    for step in steps where !outputs.contains(step.float) {
      let inputs = step.borders.compactMap { factors[$0.float] }
      let pair = try LayerWeightPair(
        floatPart: step.floatPart, part: step.quantizedPart, of: quantizedModel)
      if let pair {
        factors[step.float] = pair.outputFactors(inputs: inputs.first)
      } else if step.borders.count == 1, let node = step.node, node.keepsChannels {
        factors[step.float] = inputs.first
      }
    }
  }

  /// Adds a pair of values, each channel of the quantized one divided by its factor; channels of unknown factor are left out.
  private static func add(
    _ value: Tensor, _ expected: Tensor, dividing factors: [Float]?,
    to error: inout ErrorStatistics,
    _ name: String
  ) throws {
    guard let factors else { return try add(value, expected, to: &error, name) }
    try add(
      value.scalingChannels(by: factors.map { $0.isNaN ? 0 : 1 / $0 }),
      expected.scalingChannels(by: factors.map { $0.isNaN ? 0 : 1 }), to: &error, name)
  }

  mutating func run(_ inputs: [String: Tensor]) throws {
    var values: [String: Tensor] = [:]
    let expected = try float.run(inputs, observing: wanted) { name, value in values[name] = value }
    for index in steps.indices { try runAlone(index, values) }
    let places = Dictionary(
      steps.indices.map { (steps[$0].quantized, $0) }, uniquingKeysWith: { first, _ in first })
    var errors = steps.map(\.accumulated)
    let names = steps.map(\.float)
    let factors = factors
    let results = try quantized.run(inputs, observing: Set(places.keys)) { name, value in
      guard let place = places[name], let expected = values[names[place]] else { return }
      try Self.add(value, expected, dividing: factors[names[place]], to: &errors[place], name)
      values[names[place]] = nil
    }
    for (index, error) in errors.enumerated() { steps[index].accumulated = error }
    for index in outputs.indices {
      let name = outputs[index].name
      guard let result = results[name], let expected = expected[name] else {
        throw EvaluationError(
          .mismatch,
          "the quantized network lacks it; compare a network with its own quantized form",
          path: ["output \(name)"])
      }
      try Self.add(result, expected, to: &outputs[index].error, name)
    }
  }

  /// Runs one part of the quantized network on the float network's values.
  private mutating func runAlone(_ index: Int, _ values: [String: Tensor]) throws {
    guard let part = steps[index].part, let expected = values[steps[index].float] else { return }
    var given: [String: Tensor] = [:]
    for (name, float) in steps[index].borders {
      // A value that the float network does not have: the part can't be run alone.
      guard let value = values[float] else { return }
      given[name] = factors[float].map { value.scalingChannels(by: $0.map(\.or1)) } ?? value
    }
    let name = steps[index].quantized
    guard let value = try part.run(given)[name] else { return }
    try Self.add(
      value, expected, dividing: factors[steps[index].float], to: &steps[index].isolated, name)
  }

  /// Adds a pair of values, where they are numbers.
  private static func add(
    _ value: Tensor, _ expected: Tensor, to error: inout ErrorStatistics, _ name: String
  ) throws {
    guard expected.elementType.convertsToFloat32 else { return }
    try located(name) { try error.add(value, expected: expected) }
  }

  func result(sampleCount: Int) -> NetworkComparison {
    let layers = steps.filter { $0.accumulated.count > 0 }.map { step in
      LayerError(
        node: step.node?.label ?? "input \(step.float)",
        operation: step.node.map { "\($0.operation)" } ?? "input", value: step.float,
        label: step.label, accumulated: step.accumulated,
        isolated: step.isolated.count > 0 ? step.isolated : nil,
        floatByteCount: step.floatPart.constantByteCount,
        quantizedByteCount: step.quantizedPart.constantByteCount,
        isNode: step.node != nil)
    }
    return NetworkComparison(
      sampleCount: sampleCount, outputs: outputs, layers: layers,
      alignedLayers: steps.filter { factors[$0.float] != nil }.compactMap { $0.node?.label },
      quantizedByteCount: quantizedModel.graph.constantByteCount)
  }
}
