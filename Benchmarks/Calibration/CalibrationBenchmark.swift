import Foundation
import Tessera

/// Measures what calibrating, correcting biases and comparing layers cost, in runs of the float network; see ``usage``.
@main struct CalibrationBenchmark {
  private static let folder = ".models"
  private static let rounds = 9
  private static let arguments = Array(CommandLine.arguments.dropFirst())
  private static let part = arguments.first ?? ""
  private static let usage = """
    usage: scripts/fetch-models && swift run -c release calibration-benchmark [PART]

    Measures what calibrating EfficientNet-Lite0 on 16 photographs, correcting biases and comparing layers cost, on one thread
    and on all: about a minute. The photographs are decoded before. Each time is that of all samples over that of as many float runs
    just before it; the median of \(rounds) rounds. With PART only what has it in its name.

    """

  static func main() {
    do {
      try run()
    } catch {
      FileHandle.standardError.write(
        Data("\(error); scripts/fetch-models brings what is needed\n".utf8))
      exit(3)
    }
  }

  private static func run() throws {
    guard arguments.count <= 1, !part.hasPrefix("-") else {
      let isHelp = ["-h", "--help"].contains(part)
      (isHelp ? FileHandle.standardOutput : .standardError).write(Data(usage.utf8))
      exit(isHelp ? 0 : 2)
    }
    let model = try Model(contentsOf: "\(folder)/efficientnet-lite0.onnx").applying(.standard)
    let photos = try Dataset(
      contentsOf: "\(folder)/photos", for: model.graph,
      preprocessing: try Preprocessing(named: "efficientnet-lite"))
    let samples = try (0..<photos.count).map { try photos.sample(at: $0) }
    let decoded = try Dataset(joined(samples), for: model.graph)
    let all = Threads.count
    for threads in all > 1 ? [1, all] : [1] {
      Threads.count = threads
      print(
        """
        \(threads == 1 ? "1 thread" : "\(threads) threads"), \(samples.count) samples

          what                              in float runs  (least time)
        """)
      try measure(model, samples, decoded)
    }
  }

  private static func measure(
    _ model: Model, _ samples: [[String: Tensor]], _ dataset: Dataset
  ) throws {
    let float = try CompiledModel(model)
    func row(_ name: String, _ body: () throws -> Void) throws {
      guard part.isEmpty || name.contains(part) else { return }
      var ratios: [Double] = []
      var least = Double.infinity
      for _ in 0..<rounds {
        let unit = try seconds { for sample in samples { _ = try float.run(sample) } }
        let time = try seconds(body)
        ratios.append(time / unit)
        least = min(least, time)
      }
      let title = name.padding(toLength: 32, withPad: " ", startingAt: 0)
      print(
        "  \(title)", String(format: "%13.2f  (%.0f ms)", ratios.sorted()[rounds / 2], least * 1e3))
    }
    try row("making a plan") { _ = try CompiledModel(model).run(samples[0]) }
    for form in RangeEstimators.all {
      var recipe = try Recipe(named: "w8a8")
      recipe.activations?.estimator = try RangeEstimatorChoice(name: form.name)
      recipe.biasCorrection = .none
      let statistics = try model.calibrated(on: samples, for: recipe)
      try row("calibrating, \(form.name)") { _ = try model.calibrated(on: samples, for: recipe) }
      try row("  and choosing ranges, codes") {
        _ = try model.quantized(by: recipe, given: statistics, on: samples)
      }
    }
    let recipe = try Recipe(named: "w8a8")
    let statistics = try model.calibrated(on: samples, for: recipe)
    let quantized = try model.quantized(by: recipe, given: statistics, on: samples)
    try row("codes and correcting biases") {
      _ = try model.quantized(by: recipe, given: statistics, on: samples)
    }
    let integers = try CompiledModel(quantized)
    try row("integer runs") { for sample in samples { _ = try integers.run(sample) } }
    try row("comparing layers") { _ = try compareLayers(of: quantized, with: model, on: dataset) }
    let comparison = try compareLayers(of: quantized, with: model, on: dataset)
    try row("histograms of 12 layers") {
      _ = try layerHistograms(
        of: quantized, with: model, layers: Array(comparison.ranked.prefix(12)), on: dataset)
    }
  }

  /// The samples' tensors one after the other, by the input's name.
  private static func joined(_ samples: [[String: Tensor]]) -> [String: Tensor] {
    samples[0].mapValues { $0 }.reduce(into: [:]) { result, input in
      let values = samples.flatMap { $0[input.key]!.elements(of: Float.self) }
      let rows = input.value.shape.dimensions
      result[input.key] = Tensor(
        values, shape: Shape([rows[0] * samples.count] + rows.dropFirst()))
    }
  }

  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    let time = (ContinuousClock.now - start).components
    return Double(time.seconds) + Double(time.attoseconds) * 1e-18
  }
}
