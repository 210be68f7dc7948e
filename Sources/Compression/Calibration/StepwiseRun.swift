import Execution
import Graphs
import Tensors

/// Several samples that go through a model side by side, a stretch of nodes at a time, as it is deployed.
struct StepwiseRun {
  private let model: Model
  /// For each sample the values that are still to be read.
  private var alive: [[String: Tensor]]
  /// The first node that has not run.
  private var position = 0
  private let producers: [String: Int]
  /// The last node that reads each value; all nodes for outputs of the graph.
  private var lastReads: [String: Int] = [:]

  init(_ model: Model, samples: [[String: Tensor]]) throws {
    self.model = model
    alive = samples
    producers = model.graph.producers()
    for (index, node) in model.graph.nodes.enumerated() {
      for input in Set(node.inputs).union(node.capturedValues()) { lastReads[input] = index }
    }
    for output in model.graph.outputs { lastReads[output.name] = model.graph.nodes.count }
  }

  /// Runs all nodes up to the one that computes `value`.
  mutating func advance(through value: String) throws {
    guard let end = producers[value], end >= position else { return }
    let stretch = stretch(position...end, computing: value)
    let inputs = Set(stretch.graph.inputs.map(\.name))
    let network = try CompiledModel(stretch)
    for index in alive.indices {
      let values = alive[index]
      let results = try located("sample \(index)") {
        try network.run(values.filter { inputs.contains($0.key) })
      }
      alive[index].merge(results) { $1 }
      alive[index] = alive[index].filter { name, _ in
        name == value || lastReads[name, default: -1] > end
      }
    }
    position = end + 1
  }

  /// Some nodes as a model of their own, which gives `value` and what later nodes read.
  private func stretch(_ range: ClosedRange<Int>, computing value: String) -> Model {
    let nodes = Array(model.graph.nodes[range])
    let computed = Set(nodes.flatMap(\.outputs)).subtracting([""])
    let read = Set(nodes.flatMap { $0.inputs + $0.capturedValues() })
    let inputs = read.subtracting(computed).filter {
      !$0.isEmpty && model.graph.constants[$0] == nil
    }
    let outputs = computed.filter {
      $0 == value || lastReads[$0, default: -1] > range.upperBound
    }
    var stretch = model
    stretch.graph.nodes = nodes
    stretch.graph.constants = model.graph.constants.filter { read.contains($0.key) }
    // Without the types of its inputs there is no plan; shapes are told by each sample.
    stretch.graph.inputs = inputs.sorted().map { name in
      .init(name, ValueType(alive.first?[name]?.elementType, nil))
    }
    stretch.graph.outputs = outputs.sorted().map { .init($0, ValueType(nil, nil)) }
    return stretch
  }

  /// What each sample's value is.
  func values(of name: String) -> [Tensor] { alive.compactMap { $0[name] } }

  /// Replaces a value of each sample.
  mutating func update(_ name: String, _ change: (Tensor) -> Tensor) {
    for index in alive.indices {
      if let value = alive[index][name] { alive[index][name] = change(value) }
    }
  }
}
