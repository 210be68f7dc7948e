import Foundation

/// What keeping some layers in float would cost and gain, estimated.
public struct KeepFloatAdvice: Sendable, Equatable, CustomStringConvertible {
  /// The nodes to keep in float, the noisiest first.
  public let nodes: [String]
  /// By what share of its size the quantized network would grow: 0.05 is 5 %.
  public let growth: Double
  /// By how many decibels the outputs' SQNR would rise.
  public let gain: Double

  /// As in `keep these 2 layers in float: +3.1 % size, +1.8 dB: conv1, head`.
  public var description: String {
    let which = nodes.count == 1 ? "this layer" : "these \(nodes.count) layers"
    return "keep \(which) in float: \(fixed(growth * 100, 1).signed) % size, "
      + "\(fixed(gain, 1).signed) dB (estimated): \(nodes.joined(separator: ", "))"
  }
}

extension String {
  fileprivate var signed: String { hasPrefix("-") ? self : "+" + self }
}

extension NetworkComparison {
  /// The estimated effect of keeping the `count` noisiest layers in float, fewer where there are not as many.
  ///
  /// Noise of different layers is taken as independent, so that powers add up, and each layer's share of noise as reaching the
  /// outputs in one proportion for all: of the outputs' noise, a layer's part is its own noise share over the sum of all. That
  /// is an estimate, to be verified by quantizing anew. nil where no layer that could be kept has noise.
  public func advice(keeping count: Int) -> KeepFloatAdvice? {
    let total = layers.reduce(0) { $0 + $1.noiseShare }
    let kept = ranked.filter { $0.isNode && $0.noiseShare > 0 }.prefix(count)
    guard !kept.isEmpty, total > 0 else { return nil }
    let rest = max(total - kept.reduce(0) { $0 + $1.noiseShare }, 0)
    let added = kept.reduce(0) { $0 + $1.addedByteCount }
    return KeepFloatAdvice(
      nodes: kept.map(\.node), growth: Double(added) / Double(max(quantizedByteCount, 1)),
      gain: -10 * log10(rest / total))
  }

  /// Advice for 1, 2, 3 and 5 layers, as far as one more gains at least `leastGain` decibels.
  public func advice(leastGain: Double = 0.3) -> [KeepFloatAdvice] {
    var advice: [KeepFloatAdvice] = []
    for count in [1, 2, 3, 5] {
      guard let next = self.advice(keeping: count), next.nodes.count == count,
        next.gain - (advice.last?.gain ?? 0) >= leastGain
      else { break }
      advice.append(next)
    }
    return advice
  }
}
