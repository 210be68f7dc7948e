import ArgumentParser
import Tessera

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", _superCommandName: "tessera",
    abstract: "Show what a model consists of: operators, work, sizes, ranges and histograms.",
    discussion: """
      EXAMPLE: tessera inspect net.onnx --nodes

      Figures of codes are those of the numbers that they stand for. Open lengths of inputs count as 1.
      """)

  @Argument(help: "The model to look at.")
  var model: String

  @Flag(help: "List every node with its output, parameters and multiply-adds.")
  var nodes = false

  @Flag(help: "Leave the constants' ranges and histograms out.")
  var skipTensors = false

  @Option(help: ArgumentHelp("Write the figures to a file.", valueName: "file"))
  var json: String?

  func run() throws {
    warnOfEnvironment()
    let outputs = try outputGroup([json], sources: [model])
    let summary = ModelSummary(try Model(contentsOf: model), tensors: !skipTensors)
    if let json { try outputs.write(json) { try writeFile(summary.json, to: $0) } }
    try outputs.commit()
    print(summary.text(listsNodes: nodes))
  }
}
