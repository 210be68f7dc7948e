import Foundation
import Tessera
import Testing
import _TestSupport

// The code of the articles in Tessera.docc, word for word: what is written there compiles.

func statistics(of model: Model, on folder: String) throws -> CalibrationStatistics {
  var recipe = try Recipe(named: "w8a8")
  recipe.activations?.estimator = try RangeEstimatorChoice(name: "percentile(99.9)")
  let samples = try Dataset(contentsOf: folder, for: model.graph).sample(64, seed: 0)
  return try model.calibrated(on: samples, for: recipe)
}

func problem(with path: String) -> String? {
  do {
    _ = try CompiledModel(Model(contentsOf: path))
    return nil
  } catch let error as any LocatedError {
    return "\(error.path.joined(separator: " › ")): \(error.message)"
  } catch {
    return "\(error)"
  }
}

func outputs(of path: String, for inputs: [String: Tensor]) throws -> [String: Tensor] {
  let network = try CompiledModel(Model(contentsOf: path))
  return try network.run(inputs)
}

func serve(_ network: CompiledModel, _ requests: [[String: Tensor]]) throws {
  var outputs: [String: Tensor] = [:]
  for request in requests { try network.run(request, into: &outputs) }
}

func shuffled(_ dataset: Dataset, seed: UInt64) throws -> [Dataset] {
  try dataset.split(fractions: [0.8, 0.2], seed: seed)
}

func plan(_ model: Model, recipe name: String) throws -> String {
  let recipe = try Recipe(named: name)
  return try model.quantizationPlan(for: recipe).description
}

func rounded(_ weights: Tensor) throws -> Tensor {
  let scheme = try QuantizationScheme(.int4, .perGroup(size: 32, axis: 1), .symmetric)
  return try QuantizedTensor(quantizing: weights, scheme: scheme).dequantized()
}

func quantize(_ input: String, samples folder: String, to output: String) throws {
  let model = try Model(contentsOf: input).applying(.standard)
  let samples = try Dataset(contentsOf: folder, for: model.graph)
  let recipe = try Recipe(named: "w8a8")
  let prepared = try model.transformed(by: recipe, on: samples)
  let statistics = try prepared.calibrated(on: samples, for: recipe)
  let quantized = try prepared.quantized(by: recipe, given: statistics, on: samples)
  try quantized.write(to: output, as: .onnx)
}

func customized(_ path: String) throws -> Recipe {
  var recipe = try Recipe(contentsOf: path)
  recipe.keepFloat.append(.operation("Softmax"))
  return recipe
}

func describe(_ path: String) throws -> String {
  let model = try Model(contentsOf: path)
  return ModelSummary(model).text(listsNodes: true)
}

func prepared(_ model: Model, on samples: Dataset) throws -> Model {
  var recipe = try Recipe(named: "w8a8-per-tensor")
  recipe.transforms = ["crossLayerEqualization(limited)"]
  return try model.transformed(by: recipe, on: samples)
}

func explain(_ recipe: Recipe, prepared: Model, on samples: Dataset) throws -> [String] {
  let statistics = try prepared.calibrated(on: samples, for: recipe)
  func quantized(keeping nodes: [String]) throws -> Model {
    var recipe = recipe
    recipe.keepFloat += nodes.map { .name($0) }
    let statistics = try prepared.calibrated(on: samples, for: recipe, completing: statistics)
    return try prepared.quantized(by: recipe, given: statistics, on: samples)
  }
  let model = try quantized(keeping: [])
  let comparison = try compareLayers(of: model, with: prepared, on: samples)
  let layers = try searchFloatLayers(
    of: model, with: prepared, given: comparison, on: samples, quantizing: quantized)
  return comparison.ranked.prefix(5).map(\.node) + layers.advice.map(\.description)
    + [layers.summary]
}

@Suite struct ArticleTests {
  private static let project = TestSupport.fixture("../..")

  static var articles: [String] {
    let folder = project + "/Sources/Tessera/Tessera.docc"
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".md") }.sorted().map { folder + "/" + $0 }
  }

  /// What stands between the fences of a file's Swift code, the import left out.
  private func code(of path: String) throws -> [String] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return text.components(separatedBy: "```swift\n").dropFirst().map { part in
      part.components(separatedBy: "```")[0].replacingOccurrences(
        of: "import Tessera\n\n", with: "")
    }
  }

  @Test(arguments: articles) func compiles(_ path: String) throws {
    let source = try String(contentsOfFile: "\(#filePath)", encoding: .utf8)
    for code in try code(of: path) {
      #expect(source.contains(code), "\(path): not in ArticleTests.swift: \(code)")
    }
  }

  @Test func thereAreArticles() { #expect(Self.articles.count > 10) }

  /// The embedded example through the calls of the articles.
  @Test func theExampleGoesThrough() throws {
    let example = Self.project + "/Examples/FashionMNIST"
    let model = try Model(contentsOf: example + "/model.onnx").applying(.standard)
    let samples = try Dataset(
      contentsOf: example + "/calibration-images.idx3-ubyte.gz", for: model.graph,
      preprocessing: try Preprocessing(contentsOf: example + "/preprocessing.yaml")
    ).sample(16, seed: 0)
    #expect(try plan(model, recipe: "w8a8").contains("classifier"))
    let transformed = try prepared(model, on: samples)
    let lines = try explain(Recipe(named: "w8a8-per-tensor"), prepared: transformed, on: samples)
    #expect(lines.count > 5)
    #expect(try describe(example + "/model.onnx").contains("multiply-adds a run with N = 1"))
    #expect(problem(with: example + "/README.md")?.contains("README.md") == true)
    let weights = try rounded(Tensor([Float](repeating: 1, count: 64), shape: [2, 32]))
    #expect(weights.elements(of: Float.self).allSatisfy { abs($0 - 1) < 1e-6 })
    #expect(try shuffled(samples, seed: 1).map(\.count).reduce(0, +) == 16)
  }
}
