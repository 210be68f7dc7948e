import ArgumentParser
import Foundation
import Tessera

/// A model to compute with: read, after the standard passes, every operator known. Errors name the file.
///
/// Where `warns`, a line tells of weights that are not finite.
func readModel(_ path: String, warns: Bool = true) throws -> Model {
  let source = try Model(contentsOf: path)
  if warns { warnOfNumbers(in: source, path) }
  return try located(path) {
    let model = try source.applying(.standard)
    try model.verify()
    return model
  }
}

/// Says in one line which constants are not finite: what is computed with them hardly is.
func warnOfNumbers(in model: Model, _ path: String) {
  guard let found = model.graph.nonFiniteConstants else { return }
  Terminal.say(
    "warning: \(path) holds numbers that are not finite, so that its outputs hardly are: \(found)")
}

/// As ``located(_:_:)`` for work with a model on data, whose own errors name files of theirs.
func located<Result>(model path: String, _ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as DatasetError {
    throw error
  } catch let error as any LocatedError {
    throw error.inside(path)
  }
}

/// A network whose errors name the file that it is from.
struct LocatedExecutable: Executable {
  let network: any Executable
  let file: String

  init(_ file: String) throws {
    let model = try readModel(file)
    network = try located(file) { try CompiledModel(model) }
    self.file = file
  }

  var graph: Graph { network.graph }

  func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
    try located(file) { try network.run(inputs) }
  }
}

/// The inputs of a network in an .npz file, one array each.
func readInputs(_ path: String, for graph: Graph) throws -> [String: Tensor] {
  guard !path.hasSuffix(".npy") else {
    throw DatasetError(
      .mismatch, "is one array; expected an .npz with an array for each input, by name",
      path: [path])
  }
  return try NumPyArchive(contentsOf: path) { try graph.check($0) }.arrays
}

/// Refuses files that can't be written before any work is done for them, and such as would take the place of one another
/// or of what is read. They take their places together, see ``OutputGroup/commit()``.
func outputGroup(_ targets: [String?], sources: [String] = []) throws -> OutputGroup {
  var taken = Set(sources.map(wholePath))
  for target in targets.compactMap({ $0 }) {
    guard taken.insert(wholePath(target)).inserted else {
      throw ValidationError(
        "'\(target)' is to be written but is another file of this command too; name another file")
    }
  }
  return try OutputGroup(targets.compactMap { $0 })
}

/// Refuses to write ONNX under the name of another format.
func checkExtension(_ path: String) throws {
  let others = [
    "tflite", "pt", "pth", "ckpt", "pb", "h5", "hdf5", "keras", "mlmodel", "mlpackage", "engine",
    "plan", "safetensors", "gguf", "xml", "ort",
  ]
  let name = URL(fileURLWithPath: path).pathExtension.lowercased()
  guard others.contains(name) else { return }
  throw ValidationError("-o is '\(path)', but quantize writes ONNX; name it .onnx")
}

private func wholePath(_ path: String) -> String {
  URL(fileURLWithPath: path).resolvingSymlinksInPath().path
}
