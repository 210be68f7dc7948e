import Graphs
import Tensors

/// What a product of numbers with constant weights does after its sums, and where it puts them.
struct ProductEnd {
  /// One number per output.
  var bias: [Float]?
  var clamp = -Float.infinity...Float.infinity
  let target: Slot

  /// The bytes of the bias.
  var byteCount: Int { 4 * (bias?.count ?? 0) }

  /// Calls `body` with the bias in memory.
  func withBias(_ body: (UnsafePointer<Float>?) -> Void) {
    if let bias { bias.withUnsafeBufferPointer { body($0.baseAddress) } } else { body(nil) }
  }
}

extension PlanBuilder {
  /// Takes the bias of a product of numbers, the addition of one behind it and a clamping activation into its step; nil where
  /// the bias is computed.
  mutating func productEnd(_ node: Node, bias name: String?) throws -> ProductEnd? {
    var bias: [Float]?
    if let name {
      guard let tensor = try constant(name) else { return nil }
      bias = tensor.elements(of: Float.self)
    }
    var clamp = -Float.infinity...Float.infinity
    var result = try fuseBias(node.outputs[0], &bias)
    result = fuseClamp(result, &clamp)
    let target = try newSlot(for: result, Form(layout: .rowMajor))
    return ProductEnd(bias: bias, clamp: clamp, target: target)
  }

  /// Takes an addition of one number per output into a product of numbers that has no bias; returns the value it then computes.
  ///
  /// Sums get their bias last, so that it is the very same addition.
  private mutating func fuseBias(_ name: String, _ bias: inout [Float]?) throws -> String {
    guard !tellsNodes, bias == nil, let index = soleConsumer(of: name),
      graph.nodes[index].operation == "Add"
    else { return name }
    let add = graph.nodes[index]
    let other = add.inputs[0] == name ? add.inputs[1] : add.inputs[0]
    let outputs = try type(of: name).shape[-1]
    guard other != name, isConstant(other), let numbers = try constant(other),
      numbers.elementType == .float32, numbers.count == outputs, numbers.shape.rank > 0,
      numbers.shape[-1] == outputs,
      try type(of: add.outputs[0]).shape == type(of: name).shape
    else { return name }
    bias = numbers.elements(of: Float.self)
    done.insert(index)
    return add.outputs[0]
  }
}
