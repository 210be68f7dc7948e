import ArgumentParser
import Tessera

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a model consists of: operators, sizes, ranges and histograms.",
    discussion: "EXAMPLE: tessera inspect net.onnx")

  @Argument(help: "The model to look at.")
  var model: String

  @Flag(help: "Leave the constants' ranges and histograms out.")
  var skipTensors = false

  @Option(help: ArgumentHelp("Write the figures to a file.", valueName: "file"))
  var json: String?

  func run() throws {
    try checkTargets([json], sources: [model])
    let summary = ModelSummary(try Model(contentsOf: model), tensors: !skipTensors)
    print(summary.text())
    if let json { try writeFile(summary.json, to: json) }
  }
}
