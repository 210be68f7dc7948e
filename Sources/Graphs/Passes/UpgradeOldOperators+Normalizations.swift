import Tensors

extension UpgradeOldOperators {
  /// *Given* `Softmax`, `LogSoftmax` or `Hardmax` over all axes from `axis` on (1 where absent) taken together.
  /// *Result* over the only one of these axes that is longer than 1, where there is one such; else `Flatten` → the operator over
  /// the last axis → `Reshape` back.
  static func upgradeNormalization(_ old: inout OldNode) throws {
    let axis = try old.take("axis") { try $0.int("axis") } ?? 1
    if let only = only(axis, of: old.inputType?.dimensions) {
      old.node.attributes["axis"] = .int(only)
      return
    }
    guard let input = old.node.input(0), let output = old.node.outputs.first else {
      throw GraphError(.invalidValue, "\(old.node.operation) must have an input and an output")
    }
    let (shape, flat, result) = (
      old.newName("shape"), old.newName("flat"), old.newName("normalized")
    )
    old.before = [
      old.neighbour("Shape", "shape", reads: [input], computes: shape),
      old.neighbour("Flatten", "flatten", reads: [input], computes: flat, ["axis": .int(axis)]),
    ]
    old.after = [
      old.neighbour("Reshape", "reshape", reads: [result, shape], computes: output)
    ]
    old.node.inputs = [flat]
    old.node.outputs = [result]
    old.node.attributes["axis"] = .int(-1)
  }

  /// The one axis from `axis` on that may be longer than 1, nil where there are several or the rank is not known.
  private static func only(_ axis: Int, of dimensions: [Dimension]?) -> Int? {
    guard let dimensions else { return nil }
    let first = axis < 0 ? axis + dimensions.count : axis
    guard dimensions.indices.contains(first) else { return nil }
    let long = dimensions.indices[first...].filter { dimensions[$0].length != 1 }
    return long.count > 1 ? nil : long.first ?? first
  }
}
