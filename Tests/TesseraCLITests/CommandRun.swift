import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// The built `tessera`, run as a user runs it.
struct CommandRun {
  let code: Int32
  let output: String
  let errors: String

  /// Runs the command to its end.
  init(_ arguments: [String], through shell: String? = nil) throws {
    let process = try Self.start(arguments, through: shell)
    let text = process.output.fileHandleForReading.readDataToEndOfFile()
    let problems = process.errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    code = process.terminationStatus
    output = String(decoding: text, as: UTF8.self)
    errors = String(decoding: problems, as: UTF8.self)
  }

  /// Starts the command.
  static func start(_ arguments: [String], through shell: String? = nil) throws -> Started {
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let command = tests.deletingLastPathComponent().appendingPathComponent("tessera")
    let started = Started()
    started.process.executableURL = command
    started.process.arguments = arguments
    if let shell {
      started.process.executableURL = URL(fileURLWithPath: "/bin/sh")
      started.process.arguments = ["-c", shell + "; exec \"$0\" \"$@\"", command.path] + arguments
    }
    started.process.standardOutput = started.output
    started.process.standardError = started.errors
    try started.process.run()
    return started
  }

  /// A command that runs.
  final class Started {
    let process = Process()
    let output = Pipe()
    let errors = Pipe()

    /// What the command says up to some words; fails where it ends before.
    func readErrors(until words: String) throws -> Data {
      var text = Data()
      while !String(decoding: text, as: UTF8.self).contains(words) {
        let part = errors.fileHandleForReading.availableData
        try #require(!part.isEmpty)
        text += part
      }
      return text
    }

    var terminationStatus: Int32 { process.terminationStatus }
    func waitUntilExit() { process.waitUntilExit() }
  }
}

/// Runs the command to its end.
func tessera(_ arguments: String...) throws -> CommandRun { try CommandRun(arguments) }

/// A folder with what a command needs, and files that it must leave as they are.
struct Workplace {
  let folder: TemporaryFolder
  /// Outputs that are there already.
  static let outputs = ["out.onnx", "out.npz", "out.json", "out.html"]

  init() throws {
    folder = try TemporaryFolder()
    for name in Self.outputs { _ = try folder.write(Bytes("keep".utf8), to: name) }
    try writeNumPyArchive(
      ["x": Tensor([Float](repeating: 0.5, count: 16), shape: [8, 2])], to: samples)
    try writeNumPyArchive(
      ["x": Tensor([Float](repeating: 0.5, count: 2), shape: [1, 2])], to: inputs)
  }

  /// Eight samples for the networks of ``SmallModels``.
  var samples: String { folder.file("samples.npz") }
  /// One sample as it is fed.
  var inputs: String { folder.file("in.npz") }

  func file(_ name: String) -> String { folder.file(name) }

  /// What lies in the folder.
  func listing() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  /// Whether the outputs are as they were.
  func isUntouched() throws -> Bool {
    try Self.outputs.allSatisfy { try bytes(ofFile: file($0)) == Bytes("keep".utf8) }
  }

  /// What each command that reads a model is given for the model at `path`.
  func commands(_ path: String) -> [[String]] {
    [
      ["quantize", path, "--data", samples, "-o", file("out.onnx"), "--json", file("out.json")],
      ["evaluate", path, "--data", samples, "--metric", "sqnr", "--against", path]
        + ["--json", file("out.json")],
      ["compare", path, path, "--data", samples, "--json", file("out.json")],
      ["run", path, "--inputs", inputs, "--outputs", file("out.npz")],
      ["benchmark", path, "--inputs", inputs, "--rounds", "1", "--warm-up", "0"]
        + ["--json", file("out.json")],
    ]
  }
}

/// Networks of one or two nodes, from `x` to `y`, as bytes.
enum SmallModels {
  /// A matrix product with the weights `w` of shape 2 × 2.
  static func product(_ weights: [Float] = [1, 2, 3, 4], name: String = "fc") -> Bytes {
    graph(
      ONNXWire.node("MatMul", ["x", "w"], ["y"], name: name)
        + ONNXWire.initializer("w", [2, 2], Wire.bytes(9, Wire.floats(weights))))
  }

  /// A matrix product whose weights lie in another file.
  static func external(_ location: String) -> Bytes {
    let entries = [("location", location), ("offset", "0"), ("length", "16")]
    return graph(
      ONNXWire.node("MatMul", ["x", "w"], ["y"], name: "fc")
        + ONNXWire.initializer("w", [2, 2], ONNXWire.external(entries)))
  }

  /// A model of the given nodes and constants.
  static func graph(_ content: Bytes, input: [Int] = [1, 2], opset: Int = 17) -> Bytes {
    let border = ONNXWire.value(11, "x", input) + Wire.bytes(12, Wire.text(1, "y"))
    return ONNXWire.model(content + Wire.text(2, "g") + border, opset: opset)
  }
}
