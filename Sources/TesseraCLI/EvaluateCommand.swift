import ArgumentParser
import Tessera

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", _superCommandName: "tessera",
    abstract: "Measure how good a network is on data.",
    discussion: "EXAMPLE: tessera evaluate net.onnx --data labelled/ --metric top1,top5")

  @Argument(help: "The model to evaluate.")
  var model: String

  @Option(help: "A folder of pictures, an .npz, .npy or IDX file, or a list of file,label.")
  var data: String

  @Option(
    help: ArgumentHelp(
      "What to measure, separated by commas.", discussion: "Known: \(metricNames).",
      valueName: "metrics"))
  var metric = "top1,top5"

  @Option(help: ArgumentHelp("A model whose outputs are held to be right.", valueName: "model"))
  var against: String?

  @Option(help: ArgumentHelp("Write the figures to a file.", valueName: "file"))
  var json: String?

  @OptionGroup var dataOptions: DataOptions
  @OptionGroup var common: CommonOptions

  private static var metricNames: String {
    Metric.allCases.map(\.rawValue).joined(separator: ", ")
  }

  func run() throws {
    common.apply()
    let metrics = try metric.split(separator: ",", omittingEmptySubsequences: false).map { name in
      guard let metric = Metric(rawValue: String(name)) else {
        throw ValidationError("--metric '\(name)' is not known; known are \(Self.metricNames)")
      }
      return metric
    }
    if against == nil, let metric = metrics.first(where: \.needsReference) {
      throw ValidationError(
        "--metric \(metric.rawValue) compares with another network; name it with --against")
    }
    let outputs = try outputGroup([json], sources: [model] + (against.map { [$0] } ?? []))
    let executable = try LocatedExecutable(model)
    let reference = try against.map { try LocatedExecutable($0) }
    let dataset = try Dataset(
      contentsOf: data, for: executable.graph, preprocessing: dataOptions.resolved())
    if let metric = metrics.first(where: \.needsLabels) {
      guard dataset.labels != nil else {
        throw ValidationError(
          "--metric \(metric.rawValue) needs labels, '\(data)' has none: sort pictures into a folder a "
            + "class, add labels to the .npz, or give --metric sqnr --against another network")
      }
      try located(data) { try dataset.checkClasses(for: executable.graph) }
    }
    if !common.quiet { Terminal.say("data: \(dataset.describedPreprocessing)") }
    for text in DataOptions.warnings(of: [dataset]) { Terminal.say("warning: \(text)") }
    let progress = Progress("evaluating", isQuiet: common.quiet)
    let result = try evaluate(
      executable, on: dataset, metrics: metrics, reference: reference, progress: progress.update)
    progress.finish()
    if let warning = result.warning { Terminal.say("warning: \(warning)") }
    if let json { try outputs.write(json) { try writeFile(result.json, to: $0) } }
    try outputs.commit()
    for metric in metrics {
      guard let value = result.values[metric] else { continue }
      print("\(metric.title): \(metric.formatted(value))")
    }
    print("samples: \(result.sampleCount)")
  }
}
