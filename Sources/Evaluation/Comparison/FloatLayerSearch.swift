public import Datasets
import Execution
public import Graphs
import Tensors

/// Measures which layers of a quantized network are worth keeping in float, by quantizing anew without them.
///
/// Nothing less tells: of a layer's own noise later layers let little or much through, a layer in float still reads and hands on
/// quantized activations, and biases of later layers are corrected for what is left. Only layers with weights are
/// tried, the noisiest by themselves first; then the best together.
///
/// - Parameters:
///   - quantized: the quantized network.
///   - float: the network that was quantized, after its transforms.
///   - comparison: of the same networks.
///   - dataset: samples that outputs are compared on; all are used.
///   - byteCount: the quantized network's size that growth is a share of, in bytes; nil: that of its constants.
///   - count: how many layers are tried.
///   - leastGain: how many decibels of SQNR at the first output one more layer must gain to be advised.
///   - progress: called after each layer.
///   - quantizing: the network quantized with the nodes of these names, besides those kept before, in float.
///
/// Throws what quantizing, running and reading throw. Complexity: at most `count` + 3 times quantizing and running.
public func searchFloatLayers(
  of quantized: Model, with float: Model, given comparison: NetworkComparison, on dataset: Dataset,
  byteCount: Int? = nil, count: Int = 4, leastGain: Double = 0.3,
  progress: Evaluation.Progress? = nil, quantizing: (_ kept: [String]) throws -> Model
) throws -> FloatLayers {
  let search = FloatLayerSearch(
    reference: try CompiledModel(float), dataset: dataset,
    constantByteCount: quantized.graph.constantByteCount, byteCount: byteCount,
    sqnr: try outputSQNR(of: quantized, against: try CompiledModel(float), on: dataset))
  // A node that computes several values is one layer.
  var seen: Set<String> = []
  let candidates = comparison.ranked.filter {
    $0.isNode && $0.addedByteCount > 0 && seen.insert($0.node).inserted
  }.prefix(count)
  var single: [KeepFloatAdvice] = []
  for (index, layer) in candidates.enumerated() {
    single.append(try search.keeping([layer.node], quantizing))
    progress?(index + 1, candidates.count)
  }
  single.sort { $0.gain > $1.gain }
  var advice: [KeepFloatAdvice] = []
  for count in [1, 2, 3, 5] where count <= single.count && single[count - 1].gain > 0 {
    let nodes = single.prefix(count).flatMap(\.nodes)
    let next = count == 1 ? single[0] : try search.keeping(nodes, quantizing)
    guard next.gain - (advice.last?.gain ?? 0) >= leastGain else { break }
    advice.append(next)
  }
  return FloatLayers(single: single, advice: advice, sampleCount: dataset.count)
}

/// What the quantized network is compared with.
private struct FloatLayerSearch {
  let reference: CompiledModel
  let dataset: Dataset
  let constantByteCount: Int
  let byteCount: Int?
  let sqnr: Double

  func keeping(
    _ nodes: [String], _ quantizing: ([String]) throws -> Model
  ) throws -> KeepFloatAdvice {
    let model = try quantizing(nodes)
    let added = model.graph.constantByteCount - constantByteCount
    let sqnr = try outputSQNR(of: model, against: reference, on: dataset)
    return KeepFloatAdvice(
      nodes: nodes, addedByteCount: added,
      growth: Double(added) / Double(max(byteCount ?? constantByteCount, 1)), sqnr: sqnr,
      gain: sqnr - self.sqnr)
  }
}

/// The SQNR of the first output in decibels.
private func outputSQNR(
  of model: Model, against reference: CompiledModel, on dataset: Dataset
) throws -> Double {
  let result = try evaluate(
    try CompiledModel(model), on: dataset, metrics: [.sqnr], reference: reference)
  return result.values[.sqnr] ?? .nan
}
