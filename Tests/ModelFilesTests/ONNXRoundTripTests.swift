import Foundation
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

@Suite struct ONNXRoundTripTests {
  @Test(arguments: try onnxFixtures())
  func readWriteReadGivesTheSameModel(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try Model(contentsOf: TestSupport.fixture("onnx/" + name))
    try model.write(to: folder.file("a.onnx"), as: .onnx)
    let again = try Model(contentsOf: folder.file("a.onnx"))
    #expect(differences(model, again) == [])
    try again.write(to: folder.file("b.onnx"), as: .onnx)
    #expect(try bytes(ofFile: folder.file("a.onnx")) == bytes(ofFile: folder.file("b.onnx")))
  }
}

/// The names of all ONNX fixtures.
func onnxFixtures() throws -> [String] {
  let folder = TestSupport.fixture("onnx")
  let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
  return names.filter { $0.hasSuffix(".onnx") }.sorted()
}

/// What differs between two models, in words.
func differences(_ a: Model, _ b: Model) -> [String] {
  var found: [String] = []
  if a.opsets != b.opsets { found.append("opsets") }
  if a.metadata != b.metadata { found.append("metadata") }
  if a.producer != b.producer { found.append("producer") }
  return found + differences(a.graph, b.graph)
}

private func differences(_ a: Graph, _ b: Graph) -> [String] {
  var found: [String] = []
  if a.name != b.name { found.append("name") }
  if a.inputs != b.inputs { found.append("inputs") }
  if a.outputs != b.outputs { found.append("outputs") }
  if a.valueTypes != b.valueTypes { found.append("value types") }
  found += differences("constants", a.constants, b.constants) { $0.isIdentical(to: $1) }
  guard a.nodes.count == b.nodes.count else { return found + ["number of nodes"] }
  for (a, b) in zip(a.nodes, b.nodes) {
    if a.operation != b.operation || a.name != b.name || a.inputs != b.inputs
      || a.outputs != b.outputs
    {
      found.append("node \(a.label)")
    }
    found += differences(a.label, a.attributes, b.attributes, isSame)
  }
  return found
}

private func differences<Value>(
  _ what: String, _ a: [String: Value], _ b: [String: Value], _ isSame: (Value, Value) -> Bool
) -> [String] {
  Set(a.keys).union(b.keys).sorted().filter { key in
    guard let a = a[key], let b = b[key] else { return true }
    return !isSame(a, b)
  }.map { "\(what): \($0)" }
}

private func isSame(_ a: AttributeValue, _ b: AttributeValue) -> Bool {
  switch (a, b) {
  case (.int(let a), .int(let b)): a == b
  case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
  case (.string(let a), .string(let b)): a == b
  case (.ints(let a), .ints(let b)): a == b
  case (.floats(let a), .floats(let b)): a.map(\.bitPattern) == b.map(\.bitPattern)
  case (.strings(let a), .strings(let b)): a == b
  case (.tensor(let a), .tensor(let b)): a.isIdentical(to: b)
  case (.tensors(let a), .tensors(let b)):
    a.count == b.count && zip(a, b).allSatisfy { $0.isIdentical(to: $1) }
  case (.graph(let a), .graph(let b)): differences(a, b).isEmpty
  case (.graphs(let a), .graphs(let b)):
    a.count == b.count && zip(a, b).allSatisfy { differences($0, $1).isEmpty }
  default: false
  }
}
