import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Networks that nobody would draw: plans give what the interpreter does, whatever the batch size, the number of threads and who
/// looks on.
@Suite struct BranchingNetworkTests {
  /// Distances as shares of the greatest number: of single elements, and on average.
  ///
  /// Where a sum falls on a tie a code may be another one, which what follows may enlarge.
  private func limits(_ between: BranchingNetwork.Between) -> (largest: Float, mean: Float) {
    switch between {
    case .numbers: (2e-5, 1e-5)
    case .uint16, .int16: (0.02, 1e-3)
    case .uint8, .int8, .uint8AndUInt16: (1, 0.1)
    }
  }

  private func compare(
    _ found: [String: Tensor], _ expected: [String: Tensor],
    _ limits: (largest: Float, mean: Float), _ what: String
  ) {
    for (name, found) in found {
      guard let expected = expected[name], expected.elementType == .float32 else { continue }
      guard found.shape == expected.shape, found.elementType == .float32 else {
        Issue.record("\(what): \(name) is \(found); must be \(expected)")
        continue
      }
      let numbers = expected.elements(of: Float.self)
      let greatest = numbers.reduce(1) { $1.isNaN ? $0 : max($0, abs($1)) }
      let distances = zip(found.elements(of: Float.self), numbers).map {
        $0 == $1 || $0.isNaN && $1.isNaN ? 0 : abs($0 - $1) / greatest
      }
      let mean = distances.reduce(0, +) / Float(max(distances.count, 1))
      #expect(
        distances.allSatisfy { $0 <= limits.largest } && mean <= limits.mean,
        "\(what): \(name) differs by \(mean) on average, most by \(distances.max() ?? 0)")
    }
  }

  private func expectIdentical(
    _ found: [String: Tensor], _ expected: [String: Tensor], _ what: String
  ) {
    for (name, value) in expected {
      #expect(found[name]?.isIdentical(to: value) == true, "\(what): \(name)")
    }
  }

  @Test(arguments: BranchingNetwork.Between.allCases, 0..<24)
  func plansAreTheDefinition(_ between: BranchingNetwork.Between, _ seed: Int) throws {
    let network = BranchingNetwork(seed: seed, between: between)
    let model = network.model
    guard !model.graph.outputs.isEmpty else { return }
    let folder = try TemporaryFolder()
    let mapped = try BranchingNetwork.mapping(model, to: folder)
    let compiled = try CompiledModel(mapped)
    let inner = Set(model.graph.nodes.flatMap(\.outputs))
    let others: [(name: String, network: CompiledModel)] = [
      ("alone", try CompiledModel(model, tellingNodes: true)),
      ("kept", try CompiledModel(mapped, keeping: inner)),
    ]
    let interpreter = try Interpreter(CompiledModel(model).graph, opsets: compiled.opsets)
    let limits = limits(between)
    for batch in [2, 1, 3, 0, 2] {
      let inputs = network.inputs(batch: batch)
      var expected: [String: Tensor] = [:]
      let results = try interpreter.run(inputs) { expected[$0] = $1 }
      expected.merge(results) { $1 }
      let found = try compiled.run(inputs)
      let what = "batch \(batch)"
      #expect(Set(found.keys) == Set(model.graph.outputs.map(\.name)))
      compare(found, expected, limits, what)
      var told: [String: Tensor] = [:]
      expectIdentical(
        try compiled.run(inputs, observing: inner) { told[$0] = $1 }, found, "looked on")
      compare(told, expected, limits, "\(what), told")
      for (name, network) in others {
        told = [:]
        let results = try network.run(inputs, observing: inner) { told[$0] = $1 }
        told.merge(results) { $1 }
        compare(told, expected, limits, "\(what), \(name)")
      }
      expectIdentical(try CompiledModel(model).run(inputs), found, "\(what), anew")
      let threads = Threads.count
      defer { Threads.count = threads }
      for count in [1, 3] {
        Threads.count = count
        expectIdentical(try compiled.run(inputs), found, "\(what), \(count) threads")
      }
    }
  }
}
