public import Graphs
public import Tensors

/// Anything that computes a graph's outputs from its inputs: an interpreter, a compiled plan.
public protocol Executable: Sendable {
  /// What is computed.
  var graph: Graph { get }

  /// The graph's outputs for the given inputs, by name.
  ///
  /// Throws ``ExecutionError`` where an input is missing, unknown or of the wrong type or shape, or the inputs' values
  /// can't be computed with.
  func run(_ inputs: [String: Tensor]) throws -> [String: Tensor]

  /// Puts the graph's outputs in place of what `outputs` holds under their names; other entries are left alone.
  ///
  /// What is of the right type and shape there may be written over, so that results need no new memory each time. Throws as
  /// ``run(_:)`` does; what `outputs` holds is then not defined.
  func run(_ inputs: [String: Tensor], into outputs: inout [String: Tensor]) throws
}

extension Executable {
  public func run(_ inputs: [String: Tensor], into outputs: inout [String: Tensor]) throws {
    outputs.merge(try run(inputs)) { $1 }
  }
}

extension Interpreter: Executable {
  /// The graph's outputs for the given inputs, by name; see ``run(_:observing:)``.
  public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
    try run(inputs, observing: nil)
  }
}
