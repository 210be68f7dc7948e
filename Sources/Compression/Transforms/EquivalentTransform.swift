public import Graphs

/// A rewriting of a model that makes it easier to quantize and leaves its float output alone.
public protocol EquivalentTransform: Sendable {
  /// The transform's name in recipes.
  static var name: String { get }

  /// Whether it runs the network on samples.
  var needsData: Bool { get }

  /// Rewrites the model. Those that need to know what values the network computes run it on the samples.
  func apply(to model: inout Model, on samples: any CalibrationSamples) throws
}
