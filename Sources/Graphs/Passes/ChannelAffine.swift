import Tensors

/// `y[c] = x[c] · scale[c] + shift[c]`, what folds into the weights and the bias of a layer before it.
struct ChannelAffine {
  var scale: [Double]
  var shift: [Double]

  var count: Int { scale.count }

  /// What a BatchNormalization with constant statistics computes: `(x − mean) / √(variance + ε) · gamma + beta`.
  init?(batchNormalization node: Node, constants: [String: Tensor]) {
    guard node.operation == "BatchNormalization", node.inputs.count == 5,
      node.integer("training_mode", default: 0) == 0, node.outputs.count == 1
    else { return nil }
    let tensors = node.inputs[1...].compactMap { constants[$0] }
    guard tensors.count == 4, tensors.allSatisfy({ $0.elementType == .float32 }),
      tensors.allSatisfy({ $0.shape == tensors[0].shape && $0.shape.rank == 1 })
    else { return nil }
    let parameters = tensors.map { $0.elements(of: Float.self).map(Double.init) }
    let epsilon = Double(node.number("epsilon", default: 1e-5))
    scale = zip(parameters[0], parameters[3]).map { $0 / ($1 + epsilon).squareRoot() }
    shift = []
    for (index, scale) in scale.enumerated() {
      shift.append(parameters[1][index] - parameters[2][index] * scale)
    }
  }

  /// What an Add, Sub, Mul or Div by a float32 constant computes, where that varies along the channels of its other input alone.
  ///
  /// `constantIsFirst` tells which side of the node the constant is. `channelsFromEnd` is how many axes follow the channels'.
  init?(
    _ operation: OperatorName, by constant: Tensor, constantIsFirst: Bool, channels: Int,
    channelsFromEnd: Int, rank: Int
  ) {
    guard constant.elementType == .float32, constant.shape.rank <= rank else { return nil }
    let dimensions = constant.shape.dimensions
    if constant.count != 1 {
      let axis = dimensions.count - 1 - channelsFromEnd
      guard axis >= 0, dimensions[axis] == channels, constant.count == channels else { return nil }
    }
    let elements = constant.elements(of: Float.self).map(Double.init)
    let values = elements.count == 1 ? Array(repeating: elements[0], count: channels) : elements
    let ones = [Double](repeating: 1, count: channels)
    let zeros = [Double](repeating: 0, count: channels)
    switch (operation, constantIsFirst) {
    case ("Add", _): (scale, shift) = (ones, values)
    case ("Mul", _): (scale, shift) = (values, zeros)
    case ("Sub", false): (scale, shift) = (ones, values.map { -$0 })
    case ("Sub", true): (scale, shift) = (ones.map { -$0 }, values)
    case ("Div", false): (scale, shift) = (values.map { 1 / $0 }, zeros)
    default: return nil
    }
    guard (scale + shift).allSatisfy(\.isFinite) else { return nil }
  }
}

extension GraphRewriter {
  /// Folds what the node at `index` does to its input into the layer at `producer` that computes it.
  mutating func fold(
    _ affine: ChannelAffine, of index: Int, into producer: Int, _ layer: LinearLayer
  ) {
    precondition(affine.count == layer.outputs.count)
    var node = layer.node
    if affine.scale.contains(where: { $0 != 1 }) {
      node.inputs[1] = addConstant(
        layer.outputs.scaled(layer.weight, by: affine.scale), layer.weightName + "_folded")
    }
    let bias = layer.bias.map { $0.elements(of: Float.self).map(Double.init) }
    if bias != nil || affine.shift.contains(where: { $0 != 0 }) {
      let folded = affine.scale.indices.map { channel in
        Float((bias?[channel] ?? 0) * affine.scale[channel] + affine.shift[channel])
      }
      let prefix = layer.biasName ?? layer.weightName + "_bias"
      let name = addConstant(Tensor(folded), layer.biasName == nil ? prefix : prefix + "_folded")
      node.inputs = [node.inputs[0], node.inputs[1], name]
    }
    merge(index, into: producer, as: node)
  }
}
