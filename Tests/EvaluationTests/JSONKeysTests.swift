import Execution
import Foundation
import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Evaluation

/// The article on JSON files names every key that is written, and no other.
@Suite struct JSONKeysTests {
  /// For each schema the words in code type of its section, from its third line on.
  private static func documented() throws -> [String: Set<String>] {
    let path = TestSupport.fixture("../../Sources/Tessera/Tessera.docc/ReportsAsJSON.md")
    let sections = try String(contentsOfFile: path, encoding: .utf8)
      .components(separatedBy: "\n## tessera.")
    var keys: [String: Set<String>] = [:]
    for section in sections.dropFirst() {
      let lines = section.split(separator: "\n")
      // The line below the heading names commands.
      let words = lines.dropFirst(2).flatMap { line in
        line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
          .filter { $0.offset % 2 == 1 }.map { String($0.element) }
      }
      keys["tessera." + lines[0]] = Set(words)
    }
    return keys
  }

  /// All keys of a document at any depth, without the names of facts.
  private func keys(_ value: Any) -> Set<String> {
    if let list = value as? [Any] { return list.reduce(into: []) { $0.formUnion(keys($1)) } }
    guard let object = value as? [String: Any] else { return [] }
    return object.reduce(into: Set(object.keys)) { result, member in
      if member.key != "facts" { result.formUnion(keys(member.value)) }
    }
  }

  private func check(_ text: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let schema = try #require((value as? [String: Any])?["schema"] as? String)
    let expected = try #require(try Self.documented()[schema], "\(schema)")
    #expect(keys(value).subtracting(expected) == [], "\(schema): not in the article")
    #expect(expected.subtracting(keys(value)) == [], "\(schema): not written")
  }

  @Test func everySchemaIsDocumented() throws {
    #expect(
      try Set(Self.documented().keys) == [
        Report.schema, Evaluation.schema, ModelSummary.schema, PlanProfile.schema, Benchmark.schema,
      ])
  }

  @Test func report() throws {
    var report = sampleReport()
    report.float.file = "net.onnx"
    report.float.parameterCount = 100
    report.float.metrics = Dictionary(uniqueKeysWithValues: Metric.allCases.map { ($0, 0.5) })
    try check(report.json)
  }

  @Test func evaluation() throws {
    let values = Dictionary(uniqueKeysWithValues: Metric.allCases.map { ($0, 0.5) })
    try check(Evaluation(sampleCount: 1, values: values, referenceValues: [:]).json)
  }

  /// A product of quantized numbers and quantized weights.
  private var model: Model {
    Model(
      Graph(
        name: "net",
        nodes: [
          Node("QuantizeLinear", inputs: ["x", "s", "z"], outputs: ["q"]),
          Node("DequantizeLinear", inputs: ["q", "s", "z"], outputs: ["d"]),
          Node("DequantizeLinear", inputs: ["w", "s", "z"], outputs: ["v"]),
          Node("MatMul", inputs: ["d", "v"], outputs: ["y"]),
        ],
        inputs: [.init("x", .init(.float32, [2, 2]))],
        outputs: [.init("y", .init(.float32, [2, 2]))],
        constants: [
          "w": Tensor([Int8(1), 2, 3, 4], shape: [2, 2]), "s": Tensor(scalar: Float(0.5)),
          "z": Tensor(scalar: Int8(0)),
        ]), opset: 17)
  }

  @Test func inspection() throws { try check(ModelSummary(model).json) }

  @Test func benchmark() throws { try check(sampleBenchmark().json) }

  @Test func profile() throws {
    let compiled = try CompiledModel(model)
    try check(PlanProfile(compiled, on: ["x": Tensor.zeros([2, 2], .float32)], runs: 1).json)
  }
}
