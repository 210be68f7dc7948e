import ArgumentParser
import Tessera

/// What every command that computes takes.
struct CommonOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing but the result and warnings.")
  var quiet = false

  @Option(help: "How many threads to use. Results do not depend on it.")
  var threads: Int?

  @Option(help: "The seed of everything random; the same seed gives the same bytes.")
  var seed: UInt64 = 0

  func validate() throws {
    if let threads { try checkThreadCount(threads) }
  }

  /// Sets the number of threads for what follows, and says where the instruction set is another than was asked for.
  func apply() {
    warnOfEnvironment()
    if let threads { Threads.count = threads }
  }
}

/// Refuses numbers of threads that there can't be.
func checkThreadCount(_ count: Int) throws {
  if count < 1 { throw ValidationError("--threads is \(count); must be 1 or more") }
  if count > Threads.limit {
    throw ValidationError("--threads is \(count); there can be \(Threads.limit) at most")
  }
}

/// Says where the environment asks for an instruction set or a number of threads that is not used.
func warnOfEnvironment() {
  for warning in [Kernels.instructionSetWarning, Threads.environmentWarning].compactMap({ $0 }) {
    Terminal.say("warning: \(warning)")
  }
}
