import Graphs
import NumberFormats
import Tensors

extension GraphQuantizer {
  /// Adds a DequantizeLinear of a weight; returns the name of the dequantized weight.
  ///
  /// The codes are stored once for all that want them alike, but each use has a DequantizeLinear of its own, as runtimes merge it
  /// with the node behind it.
  mutating func addWeight(_ weight: Tensor, _ key: StoredWeight.Key) throws -> String {
    let stored = try storedWeight(weight, key)
    let result = dequantizedName(of: key.name)
    nodes.append(
      Node(
        "DequantizeLinear", name: result + "_DequantizeLinear", inputs: stored.names,
        outputs: [result], attributes: stored.attributes))
    return result
  }

  /// The constants that hold a weight's codes; they are made where none are known that are alike.
  private mutating func storedWeight(
    _ weight: Tensor, _ key: StoredWeight.Key
  ) throws -> StoredWeight {
    if let known = weights[key] { return known }
    let quantized = try quantizedWeight(weight, key)
    let name = key.name
    let parts = try located(name) { try PackedLayout.onnx.packed(quantized) }
    var names = [
      addConstant(name + "_codes", parts.codes), addConstant(name + "_scale", parts.scales),
    ]
    if let zeroPoints = parts.zeroPoints {
      names.append(addConstant(name + "_zero_point", zeroPoints))
    }
    var attributes: [String: AttributeValue] = [:]
    if let axis = quantized.scheme.granularity.axis { attributes["axis"] = .int(axis) }
    if let size = quantized.scheme.granularity.groupSize { attributes["block_size"] = .int(size) }
    let stored = StoredWeight(names: names, attributes: attributes)
    weights[key] = stored
    return stored
  }

  /// The codes of a weight, whose pages are let go of; errors name it.
  func quantizedWeight(_ weight: Tensor, _ key: StoredWeight.Key) throws -> QuantizedTensor {
    let quantized = try located(key.name) {
      try QuantizedTensor(
        quantizing: weight, scheme: key.scheme,
        parameters: try key.parameters
          ?? key.estimator.estimator.parameters(of: weight, for: key.scheme))
    }
    weight.releaseMappedMemory()
    return key.isTransposed ? try quantized.transposedMatrix() : quantized
  }

  /// The name of a constant's dequantized form: its own where one node alone reads it, and for the first time.
  mutating func dequantizedName(of constant: String) -> String {
    guard consumers[constant]?.count == 1, !graph.isOutput(constant), constants[constant] != nil
    else { return newName(constant + "_dequantized") }
    constants[constant] = nil
    return constant
  }
}
