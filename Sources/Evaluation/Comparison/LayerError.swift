/// How far one value of a quantized network is from the float network's.
public struct LayerError: Sendable {
  /// The node of the float network that the value is known by.
  public let node: String
  /// That node's operator.
  public let operation: String
  /// The value's name in the float network.
  public let value: String
  /// What to call the value where people read: the node, and the value too where the node computes several.
  public let label: String
  /// The error when both networks run from their inputs: what all layers up to here add up to.
  public let accumulated: ErrorStatistics
  /// The error when only this layer is quantized, on the float network's values; nil where nothing in it is quantized.
  public let isolated: ErrorStatistics?
  /// The bytes of the layer's constants in the float network.
  public let floatByteCount: Int
  /// The bytes of the layer's constants in the quantized network.
  public let quantizedByteCount: Int
  /// Whether it is a node, which can be kept in float, rather than an input of the network.
  public let isNode: Bool

  /// The bytes that keeping it in float costs.
  public var addedByteCount: Int { floatByteCount - quantizedByteCount }
}

/// What a quantized network's values differ from the float network's, layer by layer.
public struct NetworkComparison: Sendable {
  /// The number of samples that both networks ran on.
  public let sampleCount: Int
  /// The errors of the outputs by name, in the order of the network's.
  public let outputs: [(name: String, error: ErrorStatistics)]
  /// The errors of all values that both networks have, in the order in which they are computed.
  public let layers: [LayerError]
  /// The nodes whose values were compared after division by a factor for each channel, as equalization leaves them.
  public var alignedLayers: [String] = []
  /// The bytes of all constants of the quantized network.
  public let quantizedByteCount: Int

  /// What to warn of: outputs with values that no error can be told of.
  public var warnings: [String] { outputs.compactMap { $1.nonFiniteWarning(of: $0) } }

  /// A line that says what was done where channels differ by factors; nil where none do.
  public var alignmentNote: String? {
    guard !alignedLayers.isEmpty else { return nil }
    return
      "\(alignedLayers.count) of \(layers.count) inner values differ from the float network's by a factor for each "
      + "channel, as cross-layer equalization leaves them; they were compared after division by it"
  }

  /// The quantized layers, the largest share of noise of their own first; equals in the order of the network.
  public var ranked: [LayerError] {
    layers.enumerated().filter { $0.element.isolated != nil }
      .sorted { a, b in
        let (first, second) = (a.element.noiseShare, b.element.noiseShare)
        return first == second ? a.offset < b.offset : first > second
      }
      .map(\.element)
  }
}

extension LayerError {
  /// The noise of the layer alone as a share of its signal.
  var noiseShare: Double {
    guard let isolated, isolated.signalEnergy > 0 else { return 0 }
    return isolated.noiseShare
  }
}
