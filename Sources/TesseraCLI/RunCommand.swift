import ArgumentParser
import Tessera

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
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

  @OptionGroup var common: CommonOptions

  func run() throws {
    common.apply()
    try checkTargets([outputs], sources: [model, inputs])
    let network = try Model(contentsOf: model)
    let given = try NumPyArchive(contentsOf: inputs).arrays
    let results = try located(model) {
      let executable: any Executable =
        reference
        ? try Interpreter(network.applying([UpgradeOldOperators()])) : try CompiledModel(network)
      return try executable.run(given)
    }
    try writeNumPyArchive(results, to: outputs)
  }
}
