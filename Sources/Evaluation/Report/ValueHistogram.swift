/// How a tensor's numbers are spread before and after quantization.
public struct ValueHistogram: Sendable {
  /// What the numbers are.
  public enum Kind: String, Sendable {
    /// A layer's constants.
    case weights
    /// What a layer computes.
    case activations
  }

  /// The tensor's name.
  public let name: String
  /// What the numbers are.
  public let kind: Kind
  /// The node that the numbers belong to.
  public var node = ""
  /// In the float network.
  public let before: BinCounts
  /// In the quantized network, dequantized.
  public let after: BinCounts
  /// The least and the greatest number that the codes can say, where there is one scale for all.
  public var codeRange: ClosedRange<Double>?
  /// The distance from one code's number to the next, where there is one scale for all.
  public var step: Double?
  /// The share of the float network's numbers beyond ``codeRange`` by more than half a step, from 0 to 1.
  public var clippedShare: Double?

  /// Histograms of one tensor.
  public init(_ name: String, _ kind: Kind, before: BinCounts, after: BinCounts) {
    self.name = name
    self.kind = kind
    self.before = before
    self.after = after
  }
}
