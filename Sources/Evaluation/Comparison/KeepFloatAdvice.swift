/// What keeping some layers in float costs and gains, measured.
public struct KeepFloatAdvice: Sendable, Equatable, CustomStringConvertible {
  /// The nodes to keep in float, the one that gains most first.
  public let nodes: [String]
  /// By how many bytes the quantized network grows.
  public let addedByteCount: Int
  /// By what share of its size the quantized network grows: 0.05 is 5 %.
  public let growth: Double
  /// The outputs' SQNR in decibels with these layers in float.
  public let sqnr: Double
  /// By how many decibels that is more than without.
  public let gain: Double

  /// As in `keep these 2 layers in float: +3.1 % size (+1.2 MB), +1.8 dB (24.3 dB): conv1, head`.
  public var description: String {
    let which = nodes.count == 1 ? "this layer" : "these \(nodes.count) layers"
    return "keep \(which) in float: \(fixed(growth * 100, 1).signed) % size "
      + "(\(bytes(addedByteCount).signed)), \(fixed(gain, 1).signed) dB "
      + "(\(fixed(sqnr, 1)) dB): \(nodes.joined(separator: ", "))"
  }
}

extension String {
  /// The number with a plus or a minus sign; zeros have a plus.
  var signed: String {
    guard hasPrefix("-") else { return "+" + self }
    return contains { ("1"..."9").contains($0) } ? "−" + dropFirst() : "+" + dropFirst()
  }
}

/// Which layers are worth keeping in float.
public struct FloatLayers: Sendable {
  /// What each layer gains alone, the most first.
  public let single: [KeepFloatAdvice]
  /// What the best 1, 2, 3 and 5 layers gain together, as far as each step gains enough.
  public let advice: [KeepFloatAdvice]
  /// The number of samples that gains were measured on.
  public let sampleCount: Int

  /// How much is enough, in one line; to be said where there is no advice, or beside it.
  public var summary: String {
    guard let best = single.first else { return "no layer with weights was tried in float" }
    let samples = sampleCount == 1 ? "1 sample" : "\(sampleCount) samples"
    let how = "measured by quantizing anew, on \(samples)"
    if !advice.isEmpty { return "\(how), for the \(single.count) noisiest layers with weights" }
    guard best.gain > 0 else {
      return
        "none of the \(single.count) noisiest layers with weights makes the outputs better by staying in float (\(how))"
    }
    return
      "no layer stands out: of the \(single.count) noisiest with weights, \(best.nodes[0]) gains most in float, "
      + "\(fixed(best.gain, 2).signed) dB for \(fixed(best.growth * 100, 1).signed) % size (\(how))"
  }
}
