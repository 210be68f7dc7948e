import Graphs
import NumberFormats
import Tensors

extension QuantizationPlanner {
  typealias ValuePlan = QuantizationPlan.ValuePlan
  typealias RangePlan = QuantizationPlan.RangePlan

  /// The quantized values and the ranges that they share.
  ///
  /// A clamp can be absorbed only where all that share its range are clamped alike. Where a node with several inputs, such
  /// as a Concat, would join others to it, the node gets a range of its own instead.
  mutating func grouped() throws -> ([String: ValuePlan], [String: RangePlan]) {
    while true {
      let (values, ranges) = try group()
      let broken = Set(
        values.filter { isAbsorbing($0.key) && ranges[$0.value.root]?.bounds == nil }
          .map(\.value.root))
      guard !broken.isEmpty else { return (values, ranges) }
      var isChanged = false
      for index in graph.nodes.indices where treatments[index] == .sharing {
        let node = graph.nodes[index]
        guard let root = values[node.outputs[0]]?.root, broken.contains(root),
          sharedInputs(of: node).count > 1
        else { continue }
        treatments[index] = .integer
        notes[index] = "inputs are clamped differently: a range of its own"
        isChanged = true
      }
      precondition(isChanged, "a group without joining nodes has one source")
    }
  }

  private func isAbsorbing(_ value: String) -> Bool { absorbed.values.contains(value) }

  private func sharedInputs(of node: Node) -> [String] {
    guard let rule = QuantizationRules.all[node.operation] else { return [] }
    return rule.activationInputs(of: node).map { node.inputs[$0] }
  }

  private func group() throws -> ([String: ValuePlan], [String: RangePlan]) {
    var groups = ValueGroups()
    for (index, node) in graph.nodes.enumerated() where treatments[index] == .sharing {
      let names = sharedInputs(of: node) + node.outputs.filter { !$0.isEmpty }
      for name in names.dropFirst() { groups.join(names[0], name) }
    }
    var values: [String: ValuePlan] = [:]
    var ranges: [String: RangePlan] = [:]
    for name in markedInOrder() {
      let root = groups.root(of: name)
      let owner = try owner(of: name)
      let settings = settings[owner].activations
      let producer = producers[name]
      values[name] = ValuePlan(
        root: root, scheme: try settings.scheme(),
        isProducedByIntegers: producer.map { isQuantized($0) } ?? false)
      if let range = ranges[root], range.settings != settings {
        throw QuantizationError(
          .invalidSettings,
          "'\(name)' is to be \(try settings.scheme()), but shares its range with "
            + "'\(range.sources[0])', which is to be \(try range.settings.scheme()); "
            + "give both the same settings, or keep one in float",
          path: [graph.nodes[owner].label])
      }
      let isSource = producer.map { treatments[$0] != .sharing } ?? !isBound(name)
      guard isSource else { continue }
      let added = RangePlan(
        sources: [bounded(name)], bounds: bounds(of: name), fixed: fixedRange(of: name),
        settings: settings)
      ranges[root] = ranges[root].map { $0.joined(with: added) } ?? added
    }
    return (values, ranges)
  }

  /// Whether the output of a node comes from codes; an absorbed clamp's comes from the node before it.
  private func isQuantized(_ index: Int) -> Bool {
    isComputedInIntegers(index) || treatments[index] == .absorbed
  }

  /// The marked values: inputs of the graph first, then in the order in which they are computed or read.
  private func markedInOrder() -> [String] {
    var order: [String] = []
    var seen: Set<String> = []
    let all = graph.inputs.map(\.name) + graph.nodes.flatMap { $0.inputs + $0.outputs }
    for name in all where marked.contains(name) && seen.insert(name).inserted {
      order.append(name)
    }
    return order
  }

  /// The node whose settings say how a value is quantized: the one that computes it, or the first that reads it.
  private func owner(of name: String) throws -> Int {
    if let producer = producers[name], isQuantized(producer) { return producer }
    let reader = consumers[name]?.first { isComputedInIntegers($0) }
    guard let owner = reader else { preconditionFailure("'\(name)' is quantized for nobody") }
    return owner
  }

  /// Whether a constant is only what a Min holds another value to: beyond that value's range it makes no difference.
  private func isBound(_ name: String) -> Bool {
    guard graph.constants[name] != nil, let readers = consumers[name] else { return false }
    return readers.allSatisfy { graph.nodes[$0].operation == "Min" && treatments[$0] == .sharing }
  }

  /// The value whose numbers count for the range of `name`: behind a Min with a constant that alone reads it.
  private func bounded(_ name: String) -> String {
    guard let readers = consumers[name], readers.count == 1, !graph.isOutput(name),
      treatments[readers[0]] == .sharing
    else { return name }
    let node = graph.nodes[readers[0]]
    let isBounding = node.operation == "Min" && node.inputs.contains { isBound($0) }
    return isBounding ? node.outputs[0] : name
  }

  private func bounds(of name: String) -> ClosedRange<Float>? {
    guard isAbsorbing(name), let producer = producers[name],
      let bounds = ClipBounds(graph.nodes[producer], constants: graph.constants)
    else { return nil }
    return bounds.lower...bounds.upper
  }

  private func fixedRange(of name: String) -> ValueRange? {
    guard let producer = producers[name],
      case .fixedRange(let low, let high)? = QuantizationRules.all[
        graph.nodes[producer].operation]?.kind
    else { return nil }
    return ValueRange(low, high)
  }
}

extension QuantizationPlan.RangePlan {
  /// The range of two groups together: bounded or known only where both are alike.
  fileprivate func joined(with other: Self) -> Self {
    var result = self
    result.sources += other.sources
    if bounds != other.bounds { result.bounds = nil }
    if fixed != other.fixed { result.fixed = nil }
    return result
  }
}
