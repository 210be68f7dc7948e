import ArgumentParser
import Tessera

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", _superCommandName: "tessera",
    abstract: "Run a model on given inputs.",
    discussion: """
      EXAMPLE: tessera run model.onnx --inputs in.npz --outputs out.npz

      in.npz holds one array per input of the model, exactly as it is fed; out.npz will hold one per \
      output.
      """)

  @Argument(help: "The model to run.")
  var model: String

  @Option(help: ArgumentHelp("An .npz file with one array per input.", valueName: "file"))
  var inputs: String

  @Option(help: ArgumentHelp("The .npz file to write the outputs to.", valueName: "file"))
  var outputs: String

  @Flag(help: "Compute node by node, as operators are defined, instead of by the fast plan.")
  var reference = false

  @Option(
    help: ArgumentHelp(
      "Write what the plan's steps compute and how long each takes, as JSON.", valueName: "file"))
  var profile: String?

  @Flag(help: "Measure how long a run takes, many times over, and print it.")
  var latency = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if reference, profile != nil {
      throw ValidationError("--profile times the plan, which --reference does without")
    }
  }

  func run() throws {
    common.apply()
    let targets = try outputGroup([outputs, profile], sources: [model, inputs])
    let network = try Model(contentsOf: model)
    warnOfNumbers(in: network, model)
    let given = try readInputs(inputs, for: network.graph)
    let (results, steps) = try located(model) { try computed(network, given) }
    try targets.write(outputs) { try writeNumPyArchive(results, to: $0) }
    if let profile, let steps { try targets.write(profile) { try writeFile(steps.json, to: $0) } }
    try targets.commit()
  }

  private func computed(
    _ network: Model, _ given: [String: Tensor]
  ) throws -> ([String: Tensor], PlanProfile?) {
    if reference {
      let interpreter = try Interpreter(network.applying([UpgradeOldOperators()]))
      let results = try interpreter.run(given)
      if latency { print(try measureLatency(of: interpreter, on: given)) }
      return (results, nil)
    }
    let compiled = try CompiledModel(network)
    if latency { print(try measureLatency(of: compiled, on: given)) }
    return (
      try compiled.run(given), profile == nil ? nil : try PlanProfile(compiled, on: given)
    )
  }
}
