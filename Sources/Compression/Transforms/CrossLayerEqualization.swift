import Foundation
public import Graphs
import Tensors

/// Makes the ranges of weights alike from channel to channel, so that one scale serves them all.
///
/// For each pair of neighbouring layers and each channel i between them, the first layer's weights and bias are divided by
/// `s[i] = √(r₁[i] / r₂[i])` and the second's weights multiplied by it, where r₁ and r₂ are the greatest magnitudes of the
/// channel's weights in either: afterwards both are `√(r₁ r₂)`. Pairs are gone through again and again until no factor is far
/// from 1. Convolutions (grouped and depthwise too), transposed ones and Gemm take part.
///
/// Nagel, van Baalen, Blankevoort and Welling, "Data-Free Quantization Through Weight Equalization and Bias Correction" (2019),
/// arXiv:1906.04721, section 4.1, equations 9 to 11.
public struct CrossLayerEqualization: EquivalentTransform {
  public static let name = "crossLayerEqualization"

  /// What happens to channels that pass a Clip between 0 and an upper bound, which does not commute with a factor.
  public enum ClippedChannels: String, Sendable, CaseIterable {
    /// Clip is held to a bound of its own for each channel by a Min behind it: exact for any input. Runtimes compute the Min in
    /// float.
    case perChannel
    /// Factors are limited so that no value of the samples that was below the bound reaches it, and channels that reach it
    /// are left alone: the float output on the samples does not change, but that on others may.
    case limited
    /// Clip becomes Relu, as in the paper: the output changes where the bound was reached.
    case relu
    /// Pairs with a Clip between them are left alone.
    case skipped
  }

  /// What happens to channels that pass a Clip.
  public let clippedChannels: ClippedChannels

  /// The most that a channel is multiplied or divided by: one that is made small where it is computed has few codes of the
  /// activation left, 16 of 256 at the least.
  private let factorLimit: Double

  /// The most rounds over all pairs. They end before where no factor is far from 1; a factor travels one layer a round, so that
  /// this is enough for long chains.
  private static let roundLimit = 40

  /// Ends when no factor of a round is further than this from 1.
  private static let tolerance = 1e-3

  /// Whether it runs the network on samples: where factors are limited by its values.
  public var needsData: Bool { clippedChannels == .limited }

  /// Equalization with the given treatment of Clip.
  public init(clippedChannels: ClippedChannels = .perChannel) {
    self.init(clippedChannels: clippedChannels, factorLimit: 16)
  }

  init(clippedChannels: ClippedChannels = .perChannel, factorLimit: Double) {
    precondition(factorLimit >= 1)
    self.clippedChannels = clippedChannels
    self.factorLimit = factorLimit
  }

  public func apply(to model: inout Model, on samples: any CalibrationSamples) throws {
    var pairs = EqualizationPair.all(in: model.graph)
    if clippedChannels == .skipped { pairs.removeAll { $0.clip != nil } }
    guard !pairs.isEmpty else { return }
    if clippedChannels == .relu { replaceClips(pairs, in: &model.graph) }
    let limits = clippedChannels == .limited ? try limits(of: pairs, model, samples) : [:]
    var layers = LayerWeights(pairs, model.graph)
    var total = pairs.map { pair in
      [Double](repeating: 1, count: layers.channelCount(between: pair))
    }
    for _ in 0..<Self.roundLimit {
      var change = 0.0
      for (index, pair) in pairs.enumerated() {
        let factors = factors(
          layers.magnitudes(of: pair), total: total[index], limits: pair.clip.flatMap { limits[$0] }
        )
        layers.scale(pair, by: factors)
        for (channel, factor) in factors.enumerated() { total[index][channel] *= factor }
        change = factors.reduce(change) { max($0, abs(log($1))) }
      }
      if change < CrossLayerEqualization.tolerance { break }
    }
    layers.write(to: &model.graph)
    if clippedChannels == .perChannel { addBounds(pairs, total, to: &model.graph) }
  }

  /// The factors of one round, by channel: 1 where a channel's weights are all zero.
  ///
  /// `limits` are the least products of factors of all rounds, nil for channels that take none.
  private func factors(
    _ magnitudes: [(first: Float, second: Float)], total: [Double], limits: [Double?]?
  ) -> [Double] {
    magnitudes.indices.map { channel in
      let (first, second) = magnitudes[channel]
      guard first > 0, second > 0 else { return 1 }
      let wanted = total[channel] * (Double(first) / Double(second)).squareRoot()
      var product = min(max(wanted, 1 / factorLimit), factorLimit)
      if let limits {
        guard let limit = limits[channel] else { return 1 }
        product = max(product, limit)
      }
      return product / total[channel]
    }
  }

  private func replaceClips(_ pairs: [EqualizationPair], in graph: inout Graph) {
    for index in pairs.compactMap(\.clip) {
      let clip = graph.nodes[index]
      graph.nodes[index] = Node(
        "Relu", name: clip.name, inputs: [clip.inputs[0]], outputs: clip.outputs)
    }
    graph.removeUnused()
  }
}
