public import Datasets
public import Tensors

extension Dataset: CalibrationSamples {
  /// The sample at `index`, as a batch of one.
  public func sample(at index: Int) throws -> [String: Tensor] { try batch([index]) }
}
