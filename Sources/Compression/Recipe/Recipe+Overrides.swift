import Graphs
import NumberFormats

extension Recipe {
  /// Throws ``RecipeError`` at an override without which the plan would be the same: what it asks for is not done.
  ///
  /// So with weights of a node that has none, or activations of a layer whose result stays float and whose input belongs to
  /// another node. Makes one more plan for each override.
  func requireOverridesMatter(for model: Model, _ plan: QuantizationPlan) throws {
    for index in overrides.indices {
      var without = self
      without.overrides.remove(at: index)
      let other = try QuantizationRun(model, settings: without.nodeSettings).plan
      guard other.isSame(as: plan) else { continue }
      throw RecipeError(
        .contradiction,
        "override '\(overrides[index].match)' changes nothing: what it matches has no such weights, its "
          + "activations belong to the node that computes them, or it asks for what is so anyway; "
          + "correct or remove it",
        path: [name])
    }
  }
}

extension QuantizationPlan {
  /// Whether both plans do the same with every node and value.
  fileprivate func isSame(as other: QuantizationPlan) -> Bool {
    guard entries.count == other.entries.count, description == other.description else {
      return false
    }
    let sameWeights = entries.indices.allSatisfy { index in
      entries[index].weights == nil || settings[index].weights == other.settings[index].weights
    }
    return sameWeights
      && values.mapValues(\.scheme) == other.values.mapValues(\.scheme)
      && ranges.mapValues(\.settings) == other.ranges.mapValues(\.settings)
  }
}
