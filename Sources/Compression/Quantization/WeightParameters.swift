import NumberFormats
import Tensors

/// The scales and zero points of a weight tensor.
func weightParameters(
  of weight: Tensor, _ scheme: QuantizationScheme, _ settings: TensorSettings
) throws -> QuantizationParameters {
  try scheme.parameters(covering: weight)
}
