import ArgumentParser
import Foundation
import Tessera

struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize", _superCommandName: "tessera",
    abstract: "Make a network smaller and faster, and report what it cost.",
    discussion: """
      EXAMPLE: tessera quantize net.onnx --data photos/ -o net.int8.onnx

      Ranges come from --data; what was lost is measured on --evaluate, or on a part of --data that is \
      set aside. With thresholds the command ends with exit code 1 where one is missed; the file is \
      written all the same.
      """)

  @Argument(help: "The model to quantize.")
  var model: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write it.", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "A recipe's name or a YAML file.", discussion: "Names: \(recipeNames).",
      valueName: "name|file"))
  var recipe = "w8a8"

  @Option(
    help: ArgumentHelp(
      "Samples that show what values occur: pictures, .npz, .npy, IDX, CSV of file,label.",
      discussion: "Sub-folders of pictures are classes: names that are numbers are class numbers, "
        + "other names are numbered in sorted order."))
  var data: String?

  @Option(help: "How many of them to use at most.")
  var samples = 128

  @Option(help: ArgumentHelp("Data to measure the result on, labelled or not.", valueName: "data"))
  var evaluate: String?

  @Option(name: .customLong("max-drop"), help: "The accuracy that may be lost, as in 1%.")
  var maxDrop: String?

  @Option(name: .customLong("min-speedup"), help: "How many times faster it must be.")
  var minSpeedup: Double?

  @Option(name: .customLong("max-size"), help: "The size that is allowed, as in 30%.")
  var maxSize: String?

  @Option(name: .customLong("min-sqnr"), help: "The least SQNR of the outputs in dB.")
  var minSQNR: Double?

  @Flag(help: "Do not compare layer by layer.")
  var skipLayers = false

  @Option(
    name: .customLong("try-float"),
    help: "How many of the noisiest layers to try in float, quantizing anew for each.")
  var tryFloat = 4

  @Option(help: ArgumentHelp("Write the report as JSON.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("Write the report as a page to look at.", valueName: "file"))
  var html: String?

  @OptionGroup var dataOptions: DataOptions
  @OptionGroup var common: CommonOptions

  private static var recipeNames: String { Recipe.all.map(\.name).joined(separator: ", ") }

  func validate() throws {
    try checkSampleCount(samples)
    try checkCount(tryFloat, "--try-float")
    try checkExtension(output)
    if data == nil, evaluate == nil {
      let options = [("--min-speedup", minSpeedup), ("--min-sqnr", minSQNR)]
      if let (option, _) = options.first(where: { $1 != nil }) {
        throw ValidationError(
          "\(option) is measured on data, and there is none: give --data or --evaluate")
      }
    }
    if let minSpeedup, !(minSpeedup > 0 && minSpeedup.isFinite) {
      throw ValidationError("--min-speedup is \(minSpeedup); must be more than 0, as in 1.5")
    }
    if let minSQNR, !minSQNR.isFinite {
      throw ValidationError("--min-sqnr is \(minSQNR); must be a number of decibels, as in 20")
    }
  }

  func run() throws {
    common.apply()
    let limits = try thresholds()
    let recipe = try namedRecipe()
    let outputs = try outputGroup([output, json, html], sources: [model])
    let float = try readModel(model, warns: false)
    let (calibration, heldOut) = try datasets(for: float, recipe)

    let widened = try widened(float)
    let result = try located(model: model) {
      try explained(recipe, widened) { try quantize(widened, recipe, calibration) }
    }
    let builder = ReportBuilder(
      command: self, recipe: recipe, calibration: calibration, heldOut: heldOut
    ) { kept in
      var recipe = recipe
      recipe.keepFloat += kept.map { .name($0) }
      let statistics = try result.prepared.calibrated(
        on: calibration ?? [[String: Tensor]](), for: recipe, completing: result.statistics)
      return try quantized(result.prepared, recipe, statistics, calibration).model
    }
    // What can't be run is not written.
    var report = try located(model: model) {
      try builder.report(float: float, prepared: result.prepared, result.quantization)
    }
    var written = result.quantization.model
    written.producer = .init(name: "tessera", version: TesseraCommand.configuration.version)
    try outputs.write(output) { path in
      try written.write(to: path, as: .onnx)
      try builder.measureFiles(&report, quantized: path)
    }
    addFloatLayers(&report, with: builder, result.quantization.model, result.prepared)
    report.limits = limits
    if let json { try outputs.write(json) { try report.writeJSON(to: $0) } }
    if let html { try outputs.write(html) { try report.writeHTML(to: $0) } }
    try outputs.commit()
    print(report.text())
    try tellWritten(isMet: report.isMet)
    if !report.isMet { throw MissedThreshold() }
  }

  /// Says which files were written, and how large they are.
  private func tellWritten(isMet: Bool) throws {
    let verb =
      isMet ? "written" : "written nevertheless, since a missed threshold only sets the exit code"
    print("\(verb): \(output) (\(bytes(try Model.byteCount(ofFile: output))))")
    for file in [json, html].compactMap({ $0 }) {
      print("\(verb): \(file) (\(bytes(try MappedFile(path: file).byteCount)))")
    }
  }

  /// The network in float32, which quantization starts from.
  private func widened(_ float: Model) throws -> Model {
    guard let finding = WidenToFloat32.finding(in: float) else { return float }
    say("widened: \(finding)")
    return try located(model: model) { try float.applying([WidenToFloat32()] + .standard) }
  }

  /// What keeping layers in float would bring; where a trial fails, the finished result is kept and the report says so.
  private func addFloatLayers(
    _ report: inout Report, with builder: ReportBuilder, _ quantized: Model, _ prepared: Model
  ) {
    do {
      try builder.addFloatLayers(&report, of: quantized, with: prepared)
    } catch {
      let warning = "no layers were tried in float, since that failed: \(error)"
      say("warning: \(warning)")
      report.warnings.append(warning)
    }
  }

  private func quantize(
    _ float: Model, _ recipe: Recipe, _ calibration: Dataset?
  ) throws -> (
    prepared: Model, statistics: CalibrationStatistics, quantization: QuantizationResult
  ) {
    let samples: any CalibrationSamples = calibration ?? [[String: Tensor]]()
    let prepared = try float.transformed(by: recipe, on: samples)
    let plan = try prepared.quantizationPlan(for: recipe)
    say("\(plan)\nplan: \(plan.summary)\n  \(plan.legend)\nweights: \(WeightShare(plan))")
    for note in plan.speedNotes { say("note: \(note)") }
    try check(plan, of: prepared)
    let progress = Progress("calibrating", isQuiet: common.quiet)
    let statistics = try prepared.calibrated(on: samples, for: recipe)
    progress.finish()
    let result = try quantized(prepared, recipe, statistics, calibration)
    for note in result.notes { say("note: \(note)") }
    return (prepared, statistics, result)
  }

  private func quantized(
    _ prepared: Model, _ recipe: Recipe, _ statistics: CalibrationStatistics,
    _ calibration: Dataset?
  ) throws -> QuantizationResult {
    let result = try prepared.quantization(by: recipe, given: statistics, on: calibration)
    try result.plan.verify(result.model)
    return result
  }

  /// Errors of a recipe name the file that it is from; nodes that it names in vain are looked for in the model's file.
  private func explained<Result>(
    _ recipe: Recipe, _ network: Model, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let error as RecipeError {
      let isFile = !Recipe.all.contains { $0.name == self.recipe }
      do {
        try recipe.requirePatternsMatch(
          in: network.graph, madeFrom: try Model(contentsOf: model).graph)
      } catch let better as RecipeError {
        throw isFile ? better.inside(self.recipe) : better
      }
      throw isFile ? error.inside(self.recipe) : error
    }
  }

  private func namedRecipe() throws -> Recipe {
    if Recipe.all.contains(where: { $0.name == recipe }) { return try Recipe(named: recipe) }
    guard recipe.contains("/") || recipe.hasSuffix(".yaml") || recipe.hasSuffix(".yml") else {
      throw ValidationError(
        "--recipe '\(recipe)' is not known; known are \(Self.recipeNames), or give a YAML file")
    }
    return try Recipe(contentsOf: recipe)
  }

  private func thresholds() throws -> Thresholds {
    Thresholds(
      maxDrop: try share(maxDrop, "--max-drop"), minSpeedup: minSpeedup,
      maxSize: try share(maxSize, "--max-size", isMoreThanZero: true), minSQNR: minSQNR)
  }

  private func share(
    _ text: String?, _ option: String, isMoreThanZero: Bool = false
  ) throws -> Double? {
    do {
      let share = try text.map { try Thresholds.share($0) }
      if isMoreThanZero, share == 0 { throw ValidationError("\(option) must be more than 0%") }
      return share
    } catch let error as EvaluationError {
      throw ValidationError("\(option): \(error.message)")
    }
  }

  /// The samples to calibrate on and those to measure on; a fifth is set aside where no others are given.
  private func datasets(
    for model: Model, _ recipe: Recipe
  ) throws -> (calibration: Dataset?, heldOut: Dataset?) {
    let preprocessing = try dataOptions.resolved()
    if data == nil, recipe.needsData {
      throw ValidationError(
        "recipe '\(recipe.name)' needs samples: give --data, or a recipe that needs none, as w8")
    }
    let given = try DataOptions.datasets(at: [data, evaluate], for: model.graph, preprocessing)
    try checkLabels(evaluate ?? data, evaluate == nil ? given[0] : given[1], model.graph)
    for (use, dataset) in zip(["calibration", "evaluation"], given) {
      if let dataset { say("data: \(use): \(dataset.describedPreprocessing)") }
    }
    for text in DataOptions.warnings(of: given) { say("warning: \(text)") }
    let heldOut = given[1]
    guard let all = given[0] else { return (nil, heldOut) }
    if let heldOut { return (all.sample(samples, seed: common.seed), heldOut) }
    guard all.count >= 5 else { return (all, nil) }
    let parts = try all.split(fractions: [0.8, 0.2], seed: common.seed)
    return (parts[0].sample(samples, seed: common.seed), parts[1])
  }

  /// Refuses data on which what is asked for can't be measured.
  private func checkLabels(_ path: String?, _ measured: Dataset?, _ graph: Graph) throws {
    if maxDrop != nil, measured?.labels == nil {
      let found = path.map { "'\($0)' has no labels" } ?? "there is no data"
      throw ValidationError(
        "--max-drop needs labels to measure accuracy, \(found): sort pictures into a folder a "
          + "class, or give --evaluate with labelled data; --min-sqnr needs no labels")
    }
    if let path, let measured { try located(path) { try measured.checkClasses(for: graph) } }
  }

  /// Refuses a network of which nothing would be quantized.
  private func check(_ plan: QuantizationPlan, of model: Model) throws {
    guard plan.entries.allSatisfy({ [.float, .absorbed, .sharing].contains($0.treatment) }) else {
      return
    }
    let operations = model.graph.nodes.map { "\($0.operation)" }
    let codes = operations.filter {
      $0.contains("QuantizeLinear") || $0.contains("QLinear") || $0.hasSuffix("Integer")
    }
    let reason =
      plan.weightBytes.float.first { !$0.reason.isEmpty }.map {
        "'\($0.name)' of \($0.node) stays float: \($0.reason)"
      } ?? "it has no layer of a kind that is, or all are kept in float"
    throw QuantizationError(
      .invalidSettings,
      codes.isEmpty
        ? "nothing in it would be quantized by this recipe: \(reason); nothing was written"
        : "is quantized already, with \(codes.count) nodes as \(codes[0]), and nothing else in it "
          + "would be; give the float network")
  }

  /// A line for people.
  func say(_ text: String) {
    if !common.quiet { Terminal.say(text) }
  }
}
