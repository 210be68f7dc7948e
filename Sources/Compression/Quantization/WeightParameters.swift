import NumberFormats
import Tensors

/// The scales and zero points of a weight tensor, as the settings estimate its ranges.
func weightParameters(
  of weight: Tensor, _ scheme: QuantizationScheme, _ settings: Recipe.Weights
) throws -> QuantizationParameters {
  try settings.estimator.estimator.parameters(of: weight, for: scheme)
}
