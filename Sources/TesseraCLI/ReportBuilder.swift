import Foundation
import Tessera

/// Measures what quantizing cost and gained.
struct ReportBuilder {
  let command: QuantizeCommand
  let recipe: Recipe
  let calibration: Dataset?
  let heldOut: Dataset?
  /// The network quantized as before, but with some more nodes in float.
  let requantized: (_ kept: [String]) throws -> Model

  /// How many samples the layers are compared on.
  private static let comparedSamples = 32

  /// What can be told before the quantized network is a file; see ``measureFiles(_:)``.
  func report(
    float: Model, prepared: Model, _ result: QuantizationResult
  ) throws -> Report {
    let name = URL(fileURLWithPath: command.model).deletingPathExtension().lastPathComponent
    var report = Report(
      title: name, float: .init(file: command.model, name: "float", float),
      quantized: .init(file: command.output, name: recipe.name, result.model))
    report.facts = facts(of: float)
    report.warnings = DataOptions.warnings(of: [calibration, heldOut]) + measurementWarnings
    report.planSummary = result.plan.summary
    report.planLegend = result.plan.legend
    report.weights = WeightShare(result.plan)
    report.plan = result.plan.entries.map { entry in
      Report.PlanRow(
        node: entry.node, operation: "\(entry.operation)", treatment: entry.treatment.rawValue,
        weights: entry.weights.map { "\($0)" } ?? "–",
        activations: entry.activations.map { "\($0)" } ?? "–", note: entry.note)
    }
    guard let data = heldOut ?? calibration else { return report }
    try measureAccuracy(&report, float, result.model, data)
    if !command.skipLayers {
      let progress = Progress("comparing layers", isQuiet: command.common.quiet)
      let samples = comparedSamples(of: data)
      let comparison = try compareLayers(
        of: result.model, with: prepared, on: samples, progress: progress.update)
      progress.finish()
      report.comparison = comparison
      if command.html != nil || command.json != nil {
        try report.addHistograms(of: result.model, with: prepared, on: samples)
      }
    }
    return report
  }

  /// What keeping layers in float would bring; the quantized network's file must be written.
  func addFloatLayers(_ report: inout Report, of quantized: Model, with prepared: Model) throws {
    guard command.tryFloat > 0, let comparison = report.comparison,
      let data = heldOut ?? calibration
    else { return }
    let progress = Progress("trying layers in float", isQuiet: command.common.quiet)
    report.floatLayers = try searchFloatLayers(
      of: quantized, with: prepared, given: comparison, on: comparedSamples(of: data),
      byteCount: report.quantized.byteCount, count: command.tryFloat, progress: progress.update,
      quantizing: requantized)
    progress.finish()
  }

  private func comparedSamples(of data: Dataset) -> Dataset {
    data.sample(Self.comparedSamples, seed: command.common.seed)
  }

  /// What to warn of where nothing was measured, or nothing but what calibration saw.
  private var measurementWarnings: [String] {
    if heldOut != nil { return [] }
    guard let calibration else {
      return ["nothing was measured: give --data or --evaluate to learn what it cost"]
    }
    return [
      "measured on the calibration samples themselves, since \(counted(calibration.count, "sample")) "
        + "can't spare any: others may lose more; give --evaluate, or 5 samples or more"
    ]
  }

  private func facts(of float: Model) -> [Report.Fact] {
    var facts = [Report.Fact("recipe", recipe.name)]
    if let finding = WidenToFloat32.finding(in: float) {
      facts.append(
        .init("widened", "\(finding); float's latency and memory are those of the widened network"))
    }
    if let calibration, let data = command.data {
      facts.append(.init("calibration", "\(data), \(counted(calibration.count, "sample"))"))
      facts.append(.init("inputs", calibration.describedConversion))
    }
    if let heldOut {
      let source = command.evaluate ?? "a part of \(command.data ?? "") set aside"
      facts.append(.init("evaluation", "\(source), \(counted(heldOut.count, "sample"))"))
      if calibration?.describedConversion != heldOut.describedConversion {
        facts.append(.init("evaluation inputs", heldOut.describedConversion))
      }
    } else if let calibration {
      let count = counted(calibration.count, "sample")
      facts.append(.init("evaluation", "the calibration samples themselves, \(count)"))
    }
    facts.append(.init("seed", "\(command.common.seed)"))
    facts.append(.init("threads", "\(Threads.count)"))
    return facts
  }

  private func measureAccuracy(
    _ report: inout Report, _ float: Model, _ quantized: Model, _ data: Dataset
  ) throws {
    let progress = Progress("evaluating", isQuiet: command.common.quiet)
    let metrics = Metric.allCases.filter { data.labels != nil || !$0.needsLabels }
    let evaluation = try evaluate(
      try CompiledModel(quantized), on: data, metrics: metrics,
      reference: try CompiledModel(float), progress: progress.update)
    progress.finish()
    report.sampleCount = evaluation.sampleCount
    report.warnings += [evaluation.warning].compactMap { $0 }
    report.quantized.metrics = evaluation.values
    report.float.metrics = evaluation.referenceValues
  }

  /// Sizes, memory and speed of both from their files, with the same input; runs take turns.
  ///
  /// - Parameter quantized: where the quantized network's file lies for now.
  func measureFiles(_ report: inout Report, quantized: String) throws {
    report.quantized.byteCount = try Model.byteCount(ofFile: quantized)
    guard let data = heldOut ?? calibration, let batch = data.batches(of: 1).first else { return }
    let inputs = try data.batch(batch.indices)
    func loaded(_ path: String, _ network: inout Report.Network) throws -> CompiledModel {
      var compiled: CompiledModel?
      network.peakMemory = try measurePeakMemory {
        // Beside float32 arithmetic, since float16 and float64 are not computed for speed here.
        let model = try Model(contentsOf: path).applying([WidenToFloat32()])
        let executable = try CompiledModel(model)
        _ = try executable.run(inputs)
        compiled = executable
      }
      return compiled!
    }
    let float = try loaded(command.model, &report.float)
    let small = try loaded(quantized, &report.quantized)
    let comparison = try compareLatency(of: float, with: small, on: inputs)
    (report.float.latency, report.quantized.latency) = (comparison.first, comparison.second)
    report.pairedSpeedup = comparison.speedup
    report.warnings += [comparison.warning, comparison.slownessWarning].compactMap { $0 }
  }
}

extension WeightShare {
  /// What a plan does with the weights.
  init(_ plan: QuantizationPlan) {
    self.init(
      total: plan.weightBytes.total,
      float: plan.weightBytes.float.map {
        FloatWeight(
          name: $0.name, node: $0.node, operation: "\($0.operation)", byteCount: $0.byteCount,
          reason: $0.reason)
      })
  }
}

extension Report {
  /// How many layers' histograms are drawn, the most damaged first, and on how many samples.
  private static let (drawnLayers, drawnSamples) = (12, 8)

  /// Shows how the numbers of the most damaged layers are spread; factors of channels would spoil the view.
  mutating func addHistograms(
    of quantized: Model, with float: Model, on samples: Dataset
  ) throws {
    guard let comparison, comparison.alignedLayers.isEmpty else { return }
    histograms = try layerHistograms(
      of: quantized, with: float, layers: Array(comparison.ranked.prefix(Self.drawnLayers)),
      on: samples.prefix(Self.drawnSamples))
  }
}
