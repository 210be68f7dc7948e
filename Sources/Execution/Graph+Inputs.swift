package import Graphs
package import Tensors

extension Graph {
  /// Checks the names, types and shapes of what a graph is to be run on. Throws ``ExecutionError``.
  package func check(_ given: [String: Tensor]) throws {
    try check(given.mapValues { ValueType($0.elementType, $0.shape) })
  }

  /// Checks the names, types and shapes of what a graph is to be run on, before it is read. Throws ``ExecutionError``.
  package func check(_ given: [String: ValueType]) throws {
    let known = inputs.map(\.name)
    for name in given.keys.sorted() where !known.contains(name) {
      throw ExecutionError(
        .invalidInput, "unknown input '\(name)'; the network has \(list(known))")
    }
    var lengths: [String: (length: Int, input: String)] = [:]
    for input in inputs {
      guard let tensor = given[input.name] else {
        // Older models list constants as inputs: those need not be given.
        if constants[input.name] != nil { continue }
        throw ExecutionError(
          .invalidInput, "input '\(input.name)' is missing; the network has \(list(known))")
      }
      try check(tensor, against: input, &lengths)
    }
  }

  private func check(
    _ tensor: ValueType, against input: Value,
    _ lengths: inout [String: (length: Int, input: String)]
  ) throws {
    let mismatch = ExecutionError(
      .invalidInput, "is \(tensor); the network takes \(input.type)", path: [input.name])
    if let type = input.type.elementType, type != tensor.elementType { throw mismatch }
    guard let dimensions = input.type.dimensions else { return }
    guard let shape = tensor.shape, dimensions.count == shape.rank else { throw mismatch }
    for (dimension, length) in zip(dimensions, shape.dimensions) {
      if let expected = dimension.length, expected != length { throw mismatch }
      guard let name = dimension.name else { continue }
      if let earlier = lengths[name], earlier.length != length {
        throw ExecutionError(
          .invalidInput,
          "is \(tensor), so that \(name) is \(length); input '\(earlier.input)' has \(earlier.length)",
          path: [input.name])
      }
      lengths[name] = (length, input.name)
    }
  }

  private func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }
}
