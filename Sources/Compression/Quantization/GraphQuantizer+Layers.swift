import Graphs
import NumberFormats
import Tensors

extension GraphQuantizer {
  /// Adds the weights and bias of a layer that is computed in integers; returns its node, which reads them.
  ///
  /// The bias becomes int32 codes of scale `input scale · weight scale`. Where it would not fit, because the weights of a
  /// channel are almost zero beside it, their scale is raised, and a note says so.
  mutating func addOperands(of layer: LinearLayer, _ index: Int) throws -> Node {
    guard let scheme = plan.entries[index].weights,
      let input = plan.values[layer.node.inputs[0]]
    else { preconditionFailure("\(layer.node.label) was planned as integer layer") }
    let inputScale = try parameters(of: input).scale
    let bias = layer.bias ?? (addsBias(layer) ? .zeros([layer.outputs.count], .float32) : nil)
    let estimator = plan.settings[index].weights.estimator
    var parameters = try located(layer.weightName) {
      try estimator.estimator.parameters(of: layer.weight, for: scheme)
    }
    if let bias { raise(&parameters, scheme, layer, bias, inputScale: inputScale) }
    let key = StoredWeight.Key(
      name: layer.weightName, scheme: scheme, estimator: estimator, parameters: parameters)
    var node = layer.node
    node.inputs = [node.inputs[0], try addWeight(layer.weight, key)]
    if let bias {
      node.inputs.append(
        try addBias(bias, layer, inputScale: inputScale, weightScales: parameters.scales))
    } else {
      noteAddedBias(index)
    }
    return node
  }

  private func addsBias(_ layer: LinearLayer) -> Bool {
    addsBiases && layer.node.operation != "MatMul"
  }

  /// The scale of the weights that the output channel belongs to.
  private func scaleIndex(_ channel: Int, _ layer: LinearLayer, count: Int) -> Int {
    count == 1 ? 0 : count == layer.outputs.count ? channel : channel % layer.outputs.channels
  }

  private mutating func raise(
    _ parameters: inout QuantizationParameters, _ scheme: QuantizationScheme, _ layer: LinearLayer,
    _ bias: Tensor, inputScale: Float
  ) {
    var scales = parameters.scales
    var raised: Set<Int> = []
    for (channel, value) in bias.elements(of: Float.self).enumerated() {
      let index = scaleIndex(channel, layer, count: scales.count)
      let least = BiasQuantization.leastWeightScale(for: value, inputScale: inputScale)
      if scales[index] < least {
        scales[index] = least
        raised.insert(index)
      }
    }
    guard !raised.isEmpty else { return }
    let zeroPoints = parameters.zeroPoints.enumerated().map { index, zeroPoint in
      // Weights that small are all of code 0: any zero point will do, and 0 in the middle fits every mapping.
      raised.contains(index) ? scheme.fixedZeroPoint ?? zeroPoint : zeroPoint
    }
    parameters = QuantizationParameters(
      scales: scales, zeroPoints: zeroPoints, shape: parameters.shape)
    raisedScales.append(
      RaisedScales(layer: layer.node.label, count: raised.count, of: scales.count))
  }

  private mutating func addBias(
    _ bias: Tensor, _ layer: LinearLayer, inputScale: Float, weightScales: [Float]
  ) throws -> String {
    let scales =
      weightScales.count == 1
      ? weightScales
      : (0..<layer.outputs.count).map {
        weightScales[scaleIndex($0, layer, count: weightScales.count)]
      }
    let name = layer.biasName ?? newName(layer.weightName + "_bias")
    let quantized = try located(name) {
      try BiasQuantization.quantized(bias, inputScale: inputScale, weightScales: scales)
    }
    let codes = addConstant(name + "_codes", quantized.codes)
    let isSingle = quantized.scales.count == 1
    let scale = addConstant(
      name + "_scale", Tensor(quantized.scales, shape: isSingle ? [] : [quantized.scales.count]))
    let result = layer.biasName == nil ? name : dequantizedName(of: name)
    nodes.append(
      Node(
        "DequantizeLinear", name: result + "_DequantizeLinear", inputs: [codes, scale],
        outputs: [result], attributes: isSingle ? [:] : ["axis": .int(0)]))
    let value = layer.node.outputs[0]
    layers.append(
      QuantizedLayer(
        floatOutput: plan.absorbed[value] ?? value, clamp: clamp(after: value),
        output: rawName(of: value), bias: codes, biasScales: quantized.scales,
        channels: layer.outputs.count,
        channelsAreLast: layer.node.operation == "Gemm"))
    return result
  }

  /// Notes the bias that a float addition behind a matrix product adds.
  private mutating func noteAddedBias(_ index: Int) {
    guard plan.biasAdditions.contains(index) else { return }
    let product = graph.nodes[index].outputs[0]
    guard let addition = graph.nodes.first(where: { $0.inputs.contains(product) }),
      let bias = addition.inputs.first(where: { $0 != product }),
      let count = graph.constants[bias]?.count
    else { return }
    let value = addition.outputs[0]
    layers.append(
      QuantizedLayer(
        floatOutput: plan.absorbed[value] ?? value, clamp: clamp(after: value),
        output: rawName(of: value), bias: bias, biasScales: nil, channels: count,
        channelsAreLast: true))
  }

  /// The bounds of the clamp that the range of a value's successor stands for.
  private func clamp(after output: String) -> ClosedRange<Float>? {
    plan.absorbed[output].flatMap { value in
      graph.nodes.first { $0.outputs.first == value }
    }.flatMap { ClipBounds($0, constants: graph.constants) }.map { $0.lower...$0.upper }
  }

  /// The name that the result of a node will have before it is quantized.
  private func rawName(of output: String) -> String {
    let value = plan.absorbed[output] ?? output
    return plan.values[value]?.isProducedByIntegers ?? false ? value + "_float" : value
  }
}
