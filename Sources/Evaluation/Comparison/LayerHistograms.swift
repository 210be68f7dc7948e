public import Datasets
import Execution
public import Graphs
import Tensors

/// Counts how the weights and values of some layers are spread in a float network and in its quantized form.
///
/// Weights are dequantized one layer at a time. Values are counted while both networks run, each sample twice: ranges first, then
/// counts; no value is kept. Where one scale holds for a tensor, bins are whole multiples of its step, so that codes fall
/// evenly into them. Each layer gives its weights, where they are codes of fixed scales, then its value.
///
/// - Parameters:
///   - quantized: the quantized network.
///   - float: the network that was quantized, after its transforms.
///   - layers: of a comparison of the same networks, as ``NetworkComparison/ranked``.
///   - dataset: samples; all are used.
///
/// Throws what running and reading throw. O(layers) memory beyond one run's.
public func layerHistograms(
  of quantized: Model, with float: Model, layers: [LayerError], on dataset: Dataset
) throws -> [ValueHistogram] {
  let batches = dataset.batches(of: 1)
  var counting = try LayerHistograms(
    quantized, float, layers, example: try batches.first.map { try dataset.batch($0.indices) })
  for batch in batches { try counting.findRanges(try dataset.batch(batch.indices)) }
  counting.makeBins()
  for batch in batches { try counting.count(try dataset.batch(batch.indices)) }
  return try layers.flatMap { layer in
    try [counting.weights(of: layer), counting.values(of: layer)].compactMap { $0 }
  }
}

/// The state of counting while samples go by.
private struct LayerHistograms {
  private struct Counts {
    let quantizedName: String
    let grid: CodeGrid?
    var range: (low: Double, high: Double)?
    var before: BinCounts?
    var after: BinCounts?
    var clippedCount = 0
  }

  private static let binCount = 64

  private let quantizedModel: Model
  private let floatGraph: Graph
  private let matching: ValueMatching
  private let float: CompiledModel
  private let quantized: CompiledModel
  private var counts: [String: Counts] = [:]

  init(
    _ quantizedModel: Model, _ floatModel: Model, _ layers: [LayerError],
    example: [String: Tensor]?
  ) throws {
    self.quantizedModel = quantizedModel
    floatGraph = floatModel.graph
    float = try CompiledModel(floatModel, keeping: Set(layers.map(\.value)))
    quantized = try CompiledModel(quantizedModel, tellingNodes: true)
    matching = ValueMatching(
      quantizedModel.graph, to: floatModel.graph,
      existing: try example.map(quantized.existingValues))
    for layer in layers {
      guard let name = matching.quantizedNames[layer.value] else { continue }
      counts[layer.value] = Counts(
        quantizedName: name, grid: CodeGrid(of: name, in: quantizedModel.graph))
    }
  }

  // MARK: - Values

  mutating func findRanges(_ inputs: [String: Tensor]) throws {
    var found = counts
    _ = try float.run(inputs, observing: Set(counts.keys)) { name, value in
      guard found[name] != nil, value.elementType == .float32 else { return }
      value.withElements(of: Float.self) { values in
        guard let first = values.baseAddress else { return }
        let range = Kernels.range(first, count: values.count)
        guard range.min <= range.max else { return }
        let (low, high) = found[name]!.range ?? (.infinity, -.infinity)
        found[name]!.range = (min(low, Double(range.min)), max(high, Double(range.max)))
      }
    }
    counts = found
  }

  mutating func makeBins() {
    for (name, count) in counts {
      guard let range = count.range else { continue }
      let bins = Self.bins(range, count.grid)
      counts[name]!.before = bins
      counts[name]!.after = bins
    }
  }

  mutating func count(_ inputs: [String: Tensor]) throws {
    var found = counts
    _ = try float.run(inputs, observing: Set(counts.keys)) { name, value in
      guard found[name]?.before != nil, value.elementType == .float32 else { return }
      value.withElements(of: Float.self) { values in
        found[name]!.before!.add(values)
        guard let grid = found[name]!.grid else { return }
        found[name]!.clippedCount += values.reduce(0) { $0 + (grid.clips($1) ? 1 : 0) }
      }
    }
    let names = Dictionary(
      found.map { ($0.value.quantizedName, $0.key) }, uniquingKeysWith: { first, _ in first })
    _ = try quantized.run(inputs, observing: Set(names.keys)) { name, value in
      guard let float = names[name], found[float]?.after != nil, value.elementType == .float32
      else { return }
      value.withElements(of: Float.self) { found[float]!.after!.add($0) }
    }
    counts = found
  }

  func values(of layer: LayerError) -> ValueHistogram? {
    guard let count = counts[layer.value], let before = count.before, let after = count.after,
      before.count > 0, after.count > 0
    else { return nil }
    var histogram = ValueHistogram(layer.value, .activations, before: before, after: after)
    histogram.node = layer.node
    histogram.codeRange = count.grid?.range
    histogram.step = count.grid?.step
    histogram.clippedShare = count.grid.map { _ in
      Double(count.clippedCount) / Double(before.count)
    }
    return histogram
  }

  /// Bins over the numbers and, as far as half their span beyond, over what codes can say.
  private static func bins(_ range: (low: Double, high: Double), _ grid: CodeGrid?) -> BinCounts {
    var (low, high) = range
    if high <= low { high = low + max(abs(low), 1) * 1e-3 }
    guard let grid else { return BinCounts(from: low, to: high, binCount: binCount) }
    let margin = (high - low) / 2
    low = min(low, max(grid.range.lowerBound, low - margin))
    high = max(high, min(grid.range.upperBound, high + margin))
    let firstStep = (low / grid.step).rounded() - 0.5
    let lastStep = (high / grid.step).rounded() + 0.5
    let width = ((lastStep - firstStep) / Double(binCount)).rounded(.up)
    let used = ((lastStep - firstStep) / width).rounded(.up)
    guard used >= 1, used <= Double(binCount), (firstStep * grid.step).isFinite else {
      return BinCounts(from: low, to: high, binCount: binCount)
    }
    return BinCounts(
      from: firstStep * grid.step, to: (firstStep + used * width) * grid.step, binCount: Int(used))
  }

  // MARK: - Weights

  func weights(of layer: LayerError) throws -> ValueHistogram? {
    guard let stand = matching.quantizedNames[layer.value] else { return nil }
    let borders = Set(matching.pairs.map(\.float))
    let pair = try LayerWeightPair(
      floatPart: floatGraph.segment(computing: layer.value) { borders.contains($0) },
      part: quantizedModel.graph.segment(computing: stand) {
        matching.floatNames[$0].map { $0 != layer.value } ?? false
      }, of: quantizedModel)
    guard let pair else { return nil }
    let before = pair.float.elements(of: Float.self)
    let after = pair.dequantized.elements(of: Float.self)
    let finite = (before + after).lazy.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return nil }
    let bins = Self.bins((Double(low), Double(high)), pair.grid)
    var (counted, recounted) = (bins, bins)
    counted.add(before)
    recounted.add(after)
    pair.float.releaseMappedMemory()
    var histogram = ValueHistogram(pair.name, .weights, before: counted, after: recounted)
    histogram.node = layer.node
    if let grid = pair.grid {
      histogram.codeRange = grid.range
      histogram.step = grid.step
      let clipped = before.reduce(0) { $0 + (grid.clips($1) ? 1 : 0) }
      histogram.clippedShare = Double(clipped) / Double(max(before.count, 1))
    }
    return histogram
  }
}
