import Graphs
import NumberFormats
import Tensors

/// A value as DynamicQuantizeLinear gives it.
struct DynamicInput {
  let codes: String
  let scale: String
  let zeroPoint: String
}

/// The weights of dynamic layers as constants: codes as `[inputs, outputs]`, scales by output, and a zero point where there is
/// one.
struct DynamicWeight {
  let codes: String
  let scale: String
  let zeroPoint: String?
}

extension GraphQuantizer {
  /// Adds a layer whose input is quantized while running.
  ///
  /// `DynamicQuantizeLinear → MatMulInteger → Cast → Mul(input scale · weight scale) → Add(bias)`, the product of the scales in
  /// a node of its own: the form that ONNX Runtime fuses. There is no such way for convolutions: runtimes' ConvInteger is slower
  /// than a float convolution (ONNX Runtime's five times), so that the plan gives them 8-bit weights alone.
  mutating func addDynamicLayer(_ index: Int) throws {
    let node = graph.nodes[index]
    guard let layer = LinearLayer(node, constants: graph.constants),
      let scheme = plan.entries[index].weights
    else { preconditionFailure("\(node.label) was planned as dynamic layer") }
    guard scheme.code.storageType.bitWidth == 8, scheme.granularity.groupSize == nil else {
      throw QuantizationError(
        .invalidSettings,
        "weights of a dynamic layer can't be \(scheme); use 8 bits perTensor or perChannel")
    }
    let input = try dynamicInput(try read(0, of: node, index))
    let weight = try weightOperands(of: layer, index, scheme)
    let output = node.outputs[0]
    let sums = newName(output + "_sums")
    nodes.append(
      Node(
        "MatMulInteger", name: node.name,
        inputs: [input.codes, weight.codes, input.zeroPoint]
          + (weight.zeroPoint.map { [$0] } ?? []),
        outputs: [sums]))
    let numbers = newName(output + "_numbers")
    nodes.append(
      Node(
        "Cast", name: output + "_Cast", inputs: [sums], outputs: [numbers],
        attributes: ["to": .int(ElementType.float32.onnxCode)]))
    let scales = newName(output + "_scales")
    nodes.append(
      Node("Mul", name: output + "_scales", inputs: [input.scale, weight.scale], outputs: [scales]))
    let product = layer.bias == nil ? output : newName(output + "_product")
    try add(
      Node("Mul", name: output + "_Mul", inputs: [numbers, scales], outputs: [product]))
    guard let bias = layer.biasName else { return }
    try add(Node("Add", name: output + "_Add", inputs: [product, bias], outputs: [output]))
  }

  /// The codes of a value, computed once for all that read it.
  private mutating func dynamicInput(_ name: String) throws -> DynamicInput {
    if let known = dynamicInputs[name] { return known }
    let input = DynamicInput(
      codes: newName(name + "_codes"), scale: newName(name + "_scale"),
      zeroPoint: newName(name + "_zero_point"))
    nodes.append(
      Node(
        "DynamicQuantizeLinear", name: name + "_DynamicQuantizeLinear", inputs: [name],
        outputs: [input.codes, input.scale, input.zeroPoint]))
    dynamicInputs[name] = input
    return input
  }

  /// The weights of a dynamic layer, the same for all that want them alike.
  private mutating func weightOperands(
    of layer: LinearLayer, _ index: Int, _ scheme: QuantizationScheme
  ) throws -> DynamicWeight {
    let name = layer.weightName
    let key = StoredWeight.Key(
      name: name, scheme: scheme, estimator: plan.settings[index].weights.estimator,
      isTransposed: layer.node.operation == "Gemm" && layer.channelAxis == 0)
    if let known = dynamicWeights[key] { return known }
    let quantized = try quantizedWeight(layer.weight, key)
    let scales = quantized.parameters.scaleTensor()
    let zeroPoint =
      scheme.fixedZeroPoint == 0
      ? nil : try quantized.parameters.zeroPointTensor(scheme.code.storageType)
    let weight = DynamicWeight(
      codes: addConstant(name + "_codes", quantized.codes),
      scale: addConstant(name + "_scale", scales),
      zeroPoint: zeroPoint.map { addConstant(name + "_zero_point", $0) })
    dynamicWeights[key] = weight
    return weight
  }
}

extension Tensor {
  /// A matrix of bytes with rows and columns exchanged.
  func transposedMatrix() -> Tensor {
    precondition(shape.rank == 2 && elementType.bitWidth == 8)
    let (rows, columns) = (shape[0], shape[1])
    return reinterpreted(as: .uint8).withElements(of: UInt8.self) { source in
      Tensor([columns, rows], of: UInt8.self) { target in
        // Blocks of a cache line each way.
        for top in stride(from: 0, to: rows, by: 64) {
          for left in stride(from: 0, to: columns, by: 64) {
            for row in top..<min(top + 64, rows) {
              for column in left..<min(left + 64, columns) {
                target[column * rows + row] = source[row * columns + column]
              }
            }
          }
        }
      }
    }.reinterpreted(as: elementType)
  }
}
