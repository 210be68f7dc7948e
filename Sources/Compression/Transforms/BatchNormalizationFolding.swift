public import Graphs

/// Folds batch normalization into the layers before it: ``FoldBatchNormalization`` as a transform.
public struct BatchNormalizationFolding: EquivalentTransform {
  public static let name = "foldBatchNormalization"

  public init() {}

  public func apply(to model: inout Model, on samples: any CalibrationSamples) throws {
    try FoldBatchNormalization().apply(to: &model)
  }
}
