import Graphs
import NumberFormats
import Tensors

extension GraphQuantizer {
  /// Adds a layer that computes in float with weights that are kept as codes.
  ///
  /// A matrix product becomes `DequantizeLinear → MatMul` with weights as `[inputs, outputs]`, and a Gemm that with an Add: the
  /// form that ONNX Runtime computes without ever holding the float weights. Convolutions keep their weights' order.
  mutating func addWeightOnlyLayer(_ index: Int) throws {
    var node = graph.nodes[index]
    guard let layer = LinearLayer(node, constants: graph.constants),
      let scheme = plan.entries[index].weights
    else { preconditionFailure("\(node.label) was planned as weight-only layer") }
    let isGemm = node.operation == "Gemm"
    let key = StoredWeight.Key(
      name: layer.weightName, scheme: scheme,
      estimator: plan.settings[index].weights.estimator,
      isTransposed: isGemm && layer.channelAxis == 0)
    node.inputs[0] = try read(0, of: node, index)
    let weight = try addWeight(layer.weight, key)
    guard isGemm else {
      node.inputs[1] = weight
      try add(node)
      return
    }
    let output = node.outputs[0]
    let product = layer.biasName == nil ? output : newName(output + "_product")
    try add(
      Node("MatMul", name: node.name, inputs: [node.inputs[0], weight], outputs: [product]))
    if let bias = layer.biasName {
      try add(Node("Add", name: output + "_Add", inputs: [product, bias], outputs: [output]))
    }
  }
}

extension QuantizedTensor {
  /// A matrix with rows and columns exchanged; scales move with their elements.
  func transposedMatrix() throws -> QuantizedTensor {
    let scaleShape = parameters.shape
    var parameters = parameters
    let granularity: Granularity
    switch scheme.granularity.kind {
    case .perTensor: granularity = .perTensor
    case .perChannel: granularity = .perChannel(axis: 1 - (scheme.granularity.axis ?? 0))
    case .perGroup(let size):
      granularity = .perGroup(size: size, axis: 1 - (scheme.granularity.axis ?? 0))
      parameters = parameters.transposed()
    case .perBlock(let rows, let columns):
      granularity = .perBlock(rows: columns, columns: rows)
      parameters = parameters.transposed()
    }
    precondition(scaleShape.count == parameters.shape.count)
    return try QuantizedTensor(
      codes: codes.transposedMatrix(), scheme: scheme.with(granularity), parameters: parameters)
  }
}

extension QuantizationParameters {
  fileprivate func transposed() -> QuantizationParameters {
    let (rows, columns) = (shape[0], shape[1])
    let order = (0..<shape.count).map { $0 % rows * columns + $0 / rows }
    return QuantizationParameters(
      scales: order.map { scales[$0] }, zeroPoints: order.map { zeroPoints[$0] },
      shape: [columns, rows])
  }
}
