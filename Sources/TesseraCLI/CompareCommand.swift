import ArgumentParser
import Foundation
import Tessera

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", _superCommandName: "tessera",
    abstract: "Show where two networks differ: outputs, and layer by layer.",
    discussion: """
      EXAMPLE: tessera compare net.onnx net.int8.onnx --data photos/

      Values are matched by name. Where cross-layer equalization has multiplied channels by factors, inner \
      values are compared after division by them, and the report says so.
      """)

  @Argument(help: "The float model.")
  var float: String

  @Argument(help: "The quantized model.")
  var quantized: String

  @Option(help: "A folder of pictures, an .npz, .npy or IDX file, or a list of file,label.")
  var data: String

  @Option(help: "How many samples to use at most.")
  var samples = 32

  @Option(help: "How many layers to list, the worst first.")
  var layers = 20

  @Option(help: ArgumentHelp("Write the figures to a file.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("Write a page to look at.", valueName: "file"))
  var html: String?

  @OptionGroup var dataOptions: DataOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    try checkSampleCount(samples)
    try checkCount(layers, "--layers")
  }

  func run() throws {
    common.apply()
    let outputs = try outputGroup([json, html], sources: [float, quantized])
    let before = try readModel(float)
    let after = try readModel(quantized)
    guard after.graph.isQuantized || !before.graph.isQuantized else {
      throw ValidationError(
        "'\(float)' is quantized, '\(quantized)' is not; give the float model first")
    }
    let dataset = try Dataset(
      contentsOf: data, for: before.graph, preprocessing: dataOptions.resolved()
    ).sample(samples, seed: common.seed)
    let progress = Progress("comparing", isQuiet: common.quiet)
    let warnings = DataOptions.warnings(of: [dataset])
    for text in warnings { Terminal.say("warning: \(text)") }
    let (wideBefore, wideAfter) = (try widened(before, float), try widened(after, quantized))
    let comparison = try located(model: quantized) {
      try compareLayers(
        of: wideAfter, with: wideBefore, on: dataset, isAligned: true, progress: progress.update)
    }
    progress.finish()

    var report = Report(
      title: URL(fileURLWithPath: quantized).deletingPathExtension().lastPathComponent,
      float: .init(file: float, name: "float", before),
      quantized: .init(file: quantized, name: "quantized", after))
    report.comparison = comparison
    if html != nil || json != nil {
      try report.addHistograms(of: wideAfter, with: wideBefore, on: dataset)
    }
    report.sampleCount = dataset.count
    report.warnings = warnings + comparison.warnings
    report.facts = [
      .init("data", "\(data), \(dataset.describedPreprocessing)")
    ]
    if let json { try outputs.write(json) { try report.writeJSON(to: $0) } }
    if let html { try outputs.write(html) { try report.writeHTML(to: $0) } }
    try outputs.commit()
    print(report.text(layerCount: layers))
  }

  /// The network in float32, as the values of its quantized form are.
  private func widened(_ network: Model, _ file: String) throws -> Model {
    guard WidenToFloat32.finding(in: network) != nil else { return network }
    return try located(model: file) { try network.applying([WidenToFloat32()] + .standard) }
  }
}

extension Report.Network {
  /// What a file and its graph say about a network.
  init(file: String, name: String, _ model: Model) {
    self.init(name)
    self.file = file
    byteCount = try? Model.byteCount(ofFile: file)
    nodeCount = model.graph.nodes.count
    parameterCount = model.graph.constants.values.reduce(0) { $0 + $1.count }
  }
}
