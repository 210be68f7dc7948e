package import Graphs

extension Recipe {
  /// Throws ``RecipeError`` that lists every pattern that matches none of a model's nodes, where it stands, and what it is
  /// likely to mean.
  public func requirePatternsMatch(_ nodes: [NodeIdentity]) throws {
    try requirePatternsMatch(nodes) { _ in nil }
  }

  /// As ``requirePatternsMatch(_:)``, and says where a name is that of a node in the model's file which passes took out.
  package func requirePatternsMatch(in graph: Graph, madeFrom source: Graph) throws {
    try requirePatternsMatch(graph.nodeIdentities) { pattern in
      let removed = zip(source.nodes, source.nodeIdentities).first { pattern.matches($1) }
      guard let node = removed?.0 else { return nil }
      let heir = graph.nodes.first { !Set($0.outputs).isDisjoint(with: node.outputs) }
      let place = heir.map { ", into '\($0.label)'" } ?? ""
      return "is in the file, but the standard passes folded it\(place)"
    }
  }

  private func requirePatternsMatch(
    _ nodes: [NodeIdentity], removal: (NodePattern) -> String?
  ) throws {
    let places =
      keepFloat.map { ("keepFloat", $0) }
      + overrides.enumerated().map { ("overrides[\($0)]", $1.match) }
    let unmatched = places.filter { _, pattern in !nodes.contains { pattern.matches($0) } }
    guard !unmatched.isEmpty else { return }
    let list = unmatched.map { place, pattern in
      let hint = removal(pattern) ?? pattern.suggestion(among: nodes)
      return "\(place) '\(pattern)'" + (hint.map { " (\($0))" } ?? "")
    }
    throw RecipeError(
      .invalidValue,
      "no node matches \(list.joined(separator: ", ")); correct the pattern or remove it "
        + "(tessera inspect --nodes lists them)",
      path: [name])
  }
}

extension NodePattern {
  /// What a pattern that matches no node is likely to mean; nil where nothing is near.
  fileprivate func suggestion(among nodes: [NodeIdentity]) -> String? {
    let nearest: NodePattern?
    switch self {
    case .name(let name):
      if nodes.contains(where: { $0.operation == name }) {
        return "for the operator write \(NodePattern.operation(name))"
      }
      nearest = nearestName(to: name, among: nodes.map(\.name)).map { .name($0) }
    case .operation(let name):
      nearest = nearestName(to: name, among: nodes.map(\.operation)).map { .operation($0) }
    case .first, .last: nearest = nil
    }
    return nearest.map { "did you mean '\($0)'?" }
  }
}
