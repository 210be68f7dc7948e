import ArgumentParser
import Tessera

/// What every command that computes takes.
struct CommonOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing but the result.")
  var quiet = false

  @Option(help: "How many threads to use. Results do not depend on it.")
  var threads: Int?

  @Option(help: "The seed of everything random; the same seed gives the same bytes.")
  var seed: UInt64 = 0

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more") }
    if let threads, threads > Threads.limit {
      throw ValidationError("--threads is \(threads); there can be \(Threads.limit) at most")
    }
  }

  /// Sets the number of threads for what follows, and says where the instruction set is another than was asked for.
  func apply() {
    if !quiet { warnOfInstructionSet() }
    if let threads { Threads.count = threads }
  }
}

/// Says in one line where the instruction set is another than `TESSERA_ISA` asks for.
func warnOfInstructionSet() {
  if let warning = Kernels.instructionSetWarning { Terminal.say("warning: \(warning)") }
}
