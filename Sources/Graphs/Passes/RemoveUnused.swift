/// Removes nodes and constants that no output depends on.
///
/// *Given* `y = Relu(x)`, `z = Exp(x)` with the one output `y` → *Result* `y = Relu(x)`.
public struct RemoveUnused: GraphPass {
  public static let name = "remove-unused"

  public init() {}

  public func apply(to model: inout Model) throws { model.graph.removeUnused() }
}
