import Foundation
import Tessera

/// Measures what range estimators and transforms are worth on EfficientNet-Lite0, and prints Benchmarks/Accuracy.md; see ``usage``.
@main struct AccuracyBenchmark {
  private static let folder = ".models"

  private static let usage = """
    usage: scripts/fetch-models && swift run -c release accuracy-benchmark > Benchmarks/Accuracy.md

    Quantizes EfficientNet-Lite0 by every range estimator and preset, with and without transforms, and prints what is left of
    it as Markdown: some minutes. Takes no arguments.

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
    if let argument = CommandLine.arguments.dropFirst().first {
      let isHelp = ["-h", "--help"].contains(argument)
      (isHelp ? FileHandle.standardOutput : .standardError).write(Data(usage.utf8))
      exit(isHelp ? 0 : 2)
    }
    let unfolded = try Model(contentsOf: "\(folder)/efficientnet-lite0.onnx")
    let model = try unfolded.applying(.standard)
    let preprocessing = try Preprocessing(named: "efficientnet-lite")
    func data(_ name: String) throws -> Dataset {
      try Dataset(contentsOf: "\(folder)/\(name)", for: model.graph, preprocessing: preprocessing)
    }
    let trial = try Trial(
      float: CompiledModel(model), calibration: data("photos"), evaluation: data("imagenet20"))
    print(introduction)
    for name in ["w8a8", "w8a8-per-tensor"] {
      try activations(trial, model, try Recipe(named: name))
    }
    try weights(trial, model)
    try presets(trial, model)
    try folding(trial, unfolded: unfolded, folded: model)
  }

  private static let introduction = """
    # What estimators and transforms are worth

    EfficientNet-Lite0 on the 20 labelled pictures, calibrated on 16 photographs: SQNR of the logits against float in dB, and in
    brackets how many of the 20 pictures are classified right (float: 18). Pictures whose two best classes are almost equal
    change sides by chance: a difference of one says nothing, one of 0.2 dB little. Made by

    ```
    scripts/fetch-models && swift run -c release accuracy-benchmark > Benchmarks/Accuracy.md
    ```
    """

  /// The estimators of activations, with and without each transform.
  private static func activations(_ trial: Trial, _ model: Model, _ preset: Recipe) throws {
    print("\n## \(preset.name): estimators of activations\n")
    var table = MarkdownTable([
      "activations by", "as it is", "equalized", "biases corrected", "both",
    ])
    for form in RangeEstimators.all {
      var cells = ["\(form.name)"]
      for corrects in [false, true] {
        for equalizes in [false, true] {
          var recipe = preset
          recipe.activations?.estimator = try RangeEstimatorChoice(name: form.name)
          recipe.transforms = equalizes ? ["crossLayerEqualization"] : []
          recipe.biasCorrection = corrects ? .empirical : .none
          cells.append(try trial.result(of: recipe, model))
        }
      }
      table.add(cells)
    }
    print(table)
  }

  /// The estimators of weights, all else as the presets have it.
  private static func weights(_ trial: Trial, _ model: Model) throws {
    print("\n## Estimators of weights\n")
    var table = MarkdownTable(["weights by", "w8a8", "w8a8-per-tensor"])
    for form in RangeEstimators.all where form.name != "movingAverage" {
      let cells = try ["w8a8", "w8a8-per-tensor"].map { name in
        var recipe = try Recipe(named: name)
        recipe.weights.estimator = try RangeEstimatorChoice(name: form.name)
        return try trial.result(of: recipe, model)
      }
      table.add([form.name] + cells)
    }
    print(table)
  }

  private static func presets(_ trial: Trial, _ model: Model) throws {
    print("\n## Presets\n")
    var table = MarkdownTable(["preset", "result"])
    for recipe in Recipe.all { table.add([recipe.name, try trial.result(of: recipe, model)]) }
    print(table)
  }

  /// The network as it was trained, its batch normalization computed in float.
  private static func folding(_ trial: Trial, unfolded: Model, folded: Model) throws {
    print("\n## Batch normalization\n")
    var table = MarkdownTable(["w8a8, batch normalization", "result"])
    var recipe = try Recipe(named: "w8a8")
    table.add(["folded", try trial.result(of: recipe, folded)])
    recipe.transforms = []
    table.add(["computed in float", try trial.result(of: recipe, unfolded)])
    print(table)
  }
}
