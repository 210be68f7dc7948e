public import Graphs
import NumberFormats
import Tensors

/// A quantized model, with what was planned and what else is to be known.
public struct QuantizationResult: Sendable {
  /// The quantized model.
  public let model: Model
  /// What was planned for each node; the model was checked against it.
  public let plan: QuantizationPlan
  /// What was done differently than asked, one line each, as where a scale was raised for a bias to fit.
  public let notes: [String]
}

extension Model {
  /// The model after the recipe's equivalent transforms, in order: the same float output, easier to quantize.
  ///
  /// Throws ``QuantizationError`` where a transform needs data and there is none.
  public func transformed(by recipe: Recipe, on samples: any CalibrationSamples) throws -> Model {
    var model = self
    for transform in try recipe.equivalentTransforms() {
      try located(type(of: transform).name) { try transform.apply(to: &model, on: samples) }
    }
    return model
  }

  /// What the recipe makes of each node; nothing is run and nothing changed.
  ///
  /// Throws ``RecipeError`` where a pattern matches no node or an override changes nothing, ``QuantizationError`` where
  /// settings contradict each other, and ``GraphError`` where the model is not well-formed.
  public func quantizationPlan(for recipe: Recipe) throws -> QuantizationPlan {
    let plan = try QuantizationRun(self, settings: recipe.nodeSettings).plan
    try recipe.requireOverridesMatter(for: self, plan)
    return plan
  }

  /// What is to be known of the values of the network before it can be quantized by the recipe.
  ///
  /// Runs every sample once, in order, and keeps no value. Other methods than static need no statistics: then nothing is run.
  /// What `known` has of the same samples and the very same values, as where the recipe only keeps more nodes in float, is
  /// taken from there.
  /// Throws ``QuantizationError`` where there is no sample, and ``NumberFormatError`` at a number that is not finite, naming node
  /// and constant where it is among a layer's, else sample, value and index.
  public func calibrated(
    on samples: any CalibrationSamples, for recipe: Recipe,
    completing known: CalibrationStatistics? = nil
  ) throws -> CalibrationStatistics {
    let run = try QuantizationRun(self, settings: recipe.nodeSettings)
    if recipe.needsData { try run.checkConstants() }
    return try run.plan.statistics(of: run.model, on: samples, completing: known)
  }

  /// The model quantized by the recipe; see ``quantization(by:given:on:)``.
  public func quantized(
    by recipe: Recipe, given statistics: CalibrationStatistics,
    on samples: (any CalibrationSamples)? = nil
  ) throws -> Model {
    try quantization(by: recipe, given: statistics, on: samples).model
  }

  /// The model quantized by the recipe, with its plan and notes.
  ///
  /// `statistics` come from ``calibrated(on:for:)`` with the same recipe. `samples` are needed where the recipe corrects biases.
  /// The result is written in ONNX's own operators; float weights are read one by one and never copied. Throws
  /// ``QuantizationError`` where statistics or samples are missing, and ``NumberFormatError`` at a weight that is not finite,
  /// naming node, tensor and index.
  public func quantization(
    by recipe: Recipe, given statistics: CalibrationStatistics,
    on samples: (any CalibrationSamples)? = nil
  ) throws -> QuantizationResult {
    let run = try QuantizationRun(self, settings: recipe.nodeSettings)
    let corrects = recipe.biasCorrection == .empirical && recipe.method == .static
    var (model, layers, notes) = try run.quantized(given: statistics, addsBiases: corrects)
    if corrects {
      guard let samples, samples.count > 0 else {
        throw QuantizationError(
          .missingStatistics,
          "recipe '\(recipe.name)' corrects biases, which needs samples; give them, or set "
            + "biasCorrection to none")
      }
      model = try BiasCorrection().corrected(model, layers, float: self, on: samples)
    }
    return QuantizationResult(model: model, plan: run.plan, notes: notes)
  }
}
