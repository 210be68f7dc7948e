import ArgumentParser
import Foundation
import Tessera

/// The `tessera` command; each sub-command has a file of its own.
@main
struct TesseraCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tessera",
    abstract: "Makes trained neural networks small and fast, and proves what it cost.",
    discussion: """
      Exit codes: 0 done, 1 the result misses a threshold that was set, 2 wrong usage, \
      3 a file that can't be used.
      """,
    version: tesseraVersion,
    subcommands: [
      QuantizeCommand.self, EvaluateCommand.self, CompareCommand.self, InspectCommand.self,
      RunCommand.self, BenchmarkCommand.self, RecipesCommand.self,
    ])

  /// Runs the sub-command and maps errors to exit codes.
  static func main() {
    // Writing beyond a limit on file sizes is an error like a full disk, no reason to be killed.
    signal(SIGXFSZ, SIG_IGN)
    removePartialFilesOnInterrupt()
    // Errors of a sub-command are told with its own usage.
    var type: any ParsableCommand.Type = self
    do {
      try checkArguments()
      var command = try parseAsRoot(arguments)
      type = Swift.type(of: command)
      try command.run()
    } catch let error as any LocatedError {
      Terminal.say("tessera: \(error)")
      Foundation.exit(3)
    } catch is MissedThreshold {
      Foundation.exit(1)
    } catch {
      guard exitCode(for: error).isSuccess else {
        let name = type.configuration.commandName ?? ""
        let full = type == self ? name : "tessera \(name)"
        Terminal.say(
          type.fullMessage(for: error)
            .replacingOccurrences(of: "See '\(name) --help'", with: "See '\(full) --help'"))
        Foundation.exit(2)
      }
      exit(withError: error)
    }
  }

  /// What was given, negative numbers joined to the options before them, which they would be taken for: `--batch=-1`.
  private static var arguments: [String] {
    CommandLine.arguments.dropFirst().reduce(into: []) { arguments, next in
      if let option = arguments.last, option.hasPrefix("--"), !option.contains("="),
        next.hasPrefix("-"), next.dropFirst().first.map({ $0.isNumber || $0 == "." }) ?? false
      {
        arguments[arguments.count - 1] = "\(option)=\(next)"
      } else {
        arguments.append(next)
      }
    }
  }

  /// Refuses empty values, which come from unset variables of a shell: no option takes one. Refuses unknown sub-commands.
  private static func checkArguments() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard !arguments.contains(where: { $0.isEmpty || $0.hasPrefix("--") && $0.hasSuffix("=") })
    else { throw ValidationError("an argument is empty; give a value, or leave it out") }
    let known = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard let name = arguments.first, !name.hasPrefix("-"), name != "help", !known.contains(name)
    else { return }
    let nearest = nearestName(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
    throw ValidationError(
      "unknown subcommand '\(name)'; known are \(known.joined(separator: ", "))\(nearest)")
  }

  /// Leaves nothing half-written behind when the user stops the command.
  private static func removePartialFilesOnInterrupt() {
    for signalNumber in [SIGINT, SIGTERM, SIGHUP] {
      signal(signalNumber, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: signalNumber, queue: .global())
      source.setEventHandler {
        PartialFiles.shared.removeAll {
          Terminal.say("tessera: stopped; no file is left half-written")
          _exit(128 + signalNumber)
        }
      }
      source.resume()
      signalSources.append(source)
    }
  }

  nonisolated(unsafe) private static var signalSources: [any DispatchSourceSignal] = []
}

/// Thrown where the result is there but misses a threshold that the user set.
struct MissedThreshold: Error {}
