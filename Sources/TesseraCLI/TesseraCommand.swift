import ArgumentParser
import Tessera

/// The `tessera` command; each sub-command has a file of its own.
@main
struct TesseraCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tessera",
    abstract: "Makes trained neural networks small and fast, and proves what it cost.")
}
