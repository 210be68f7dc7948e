import Tessera

/// Quantizes a model by a recipe and measures what is left of it.
struct Trial {
  let float: CompiledModel
  let calibration: Dataset
  let evaluation: Dataset

  /// SQNR in dB and the number of samples that are classified right, as `22.5 (18)`.
  func result(of recipe: Recipe, _ model: Model) throws -> String {
    let prepared = try model.transformed(by: recipe, on: calibration)
    let statistics = try prepared.calibrated(on: calibration, for: recipe)
    let quantized = try prepared.quantized(by: recipe, given: statistics, on: calibration)
    let result = try evaluate(
      CompiledModel(quantized), on: evaluation, metrics: [.sqnr, .top1], reference: float)
    let hits = (result.values[.top1] ?? 0) * Double(result.sampleCount)
    return "\(hundredths(result.values[.sqnr] ?? 0)) (\(Int(hits.rounded())))"
  }

  private func hundredths(_ value: Double) -> String {
    let whole = Int((abs(value) * 100).rounded())
    let digits = "\(whole % 100)"
    return (value < 0 ? "−" : "") + "\(whole / 100)." + (digits.count < 2 ? "0" : "") + digits
  }
}
