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
/// reads numbers that are no codes, so that there is no integer arithmetic for it: it runs in float, beside the float network.
/// So a sample costs two float runs and one of the quantized network, and about as much again as one for reading the values.
/// Where the networks' operators are of different versions, layers alone are left to their reference functions, which are slower.
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
  try comparison.placeLayersAlone()
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
    /// The float value for each of the part's inputs.
    let borders: [(name: String, float: String)]
    /// What the part alone computes is called so in the float network; nil where it does not run there.
    var alone: String?
    /// Runs the part alone where the float network does not.
    var part: Interpreter?
    var accumulated = ErrorStatistics()
    var isolated = ErrorStatistics()

    /// What to call the value where people read.
    var label: String {
      guard let node else { return "input \(float)" }
      guard node.outputs.count(where: { !$0.isEmpty }) > 1 else { return node.label }
      return "\(node.name.isEmpty ? "\(node.operation)" : node.name) → \(float)"
    }
  }

  private let floatModel: Model
  /// Computes what layers alone compute as well.
  private var float: CompiledModel
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
    quantized = try CompiledModel(quantizedModel, tellingNodes: true)
    (self.floatModel, self.quantizedModel) = (floatModel, quantizedModel)
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
      steps.append(
        Step(
          float: name, quantized: stand, node: floatPart.mainNode, floatPart: floatPart,
          quantizedPart: part,
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

  /// Lets the quantized parts run alone: in the float network, where that can be.
  mutating func placeLayersAlone() throws {
    var network = LayersAlone(floatModel, besides: quantizedModel)
    for index in steps.indices where steps[index].quantizedPart.isQuantized {
      let step = steps[index]
      // A value that the float network does not have: the part can't be run alone.
      guard step.borders.allSatisfy({ wanted.contains($0.float) }) else { continue }
      steps[index].alone = try network?.add(
        step.quantizedPart.graph, computing: step.quantized, for: step.float,
        borders: step.borders, factors: factors)
      guard steps[index].alone == nil else { continue }
      var part = quantizedModel
      part.graph = step.quantizedPart.graph
      steps[index].part = try Interpreter(part)
    }
    guard let network else { return }
    float = try CompiledModel(network.model, keeping: wanted.union(steps.compactMap(\.alone)))
  }

  mutating func run(_ inputs: [String: Tensor]) throws {
    var values: [String: PlacedValue] = [:]
    let expected = try runFloat(inputs, &values)
    for index in steps.indices { try runAlone(index, values) }
    let places = Dictionary(
      steps.indices.map { (steps[$0].quantized, $0) }, uniquingKeysWith: { first, _ in first })
    var errors = steps.map(\.accumulated)
    let names = steps.map(\.float)
    let factors = factors
    let results = try quantized.run(inputs, viewing: Set(places.keys)) { name, value in
      guard let place = places[name], let expected = values[names[place]] else { return }
      try errors[place].add(value, expected, dividing: factors[names[place]], name)
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
      try outputs[index].error.add(
        PlacedValue(result), PlacedValue(expected), dividing: nil, name)
    }
  }

  /// Runs the float network and the layers in it that are quantized alone; holds its values.
  private mutating func runFloat(
    _ inputs: [String: Tensor], _ values: inout [String: PlacedValue]
  ) throws -> [String: Tensor] {
    let places = Dictionary(
      steps.indices.compactMap { index in steps[index].alone.map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
    var (errors, held) = (steps.map(\.isolated), values)
    let (names, factors, wanted) = (steps.map { ($0.float, $0.quantized) }, factors, wanted)
    let results = try float.run(inputs, viewing: wanted.union(places.keys)) { name, value in
      if wanted.contains(name) { held[name] = value.held() }
      guard let place = places[name], let expected = held[names[place].0] else { return }
      try errors[place].add(value, expected, dividing: factors[names[place].0], names[place].1)
    }
    for (index, error) in errors.enumerated() { steps[index].isolated = error }
    values = held
    return results
  }

  /// Runs one part of the quantized network on the float network's values.
  private mutating func runAlone(_ index: Int, _ values: [String: PlacedValue]) throws {
    guard let part = steps[index].part, let expected = values[steps[index].float] else { return }
    var given: [String: Tensor] = [:]
    for (name, float) in steps[index].borders {
      guard let value = values[float]?.tensor() else { return }
      given[name] = factors[float].map { value.scalingChannels(by: $0.map(\.or1)) } ?? value
    }
    let name = steps[index].quantized
    guard let value = try part.run(given)[name] else { return }
    try steps[index].isolated.add(
      PlacedValue(value), expected, dividing: factors[steps[index].float], name)
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
