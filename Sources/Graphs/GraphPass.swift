/// A rewriting of a model that leaves what it computes alone.
///
/// Each pass documents itself as *Given* → *Result*.
public protocol GraphPass: Sendable {
  /// The pass's name, as it is spelled on the command line.
  static var name: String { get }

  /// Rewrites the model. Throws ``GraphError`` where the graph is not well-formed.
  func apply(to model: inout Model) throws
}

extension Model {
  /// The model after each of the passes, in order.
  public func applying(_ passes: [any GraphPass]) throws -> Model {
    var model = self
    for pass in passes { try pass.apply(to: &model) }
    return model
  }
}
