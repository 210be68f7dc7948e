public import Tensors

/// The activation at the end of a fused operator: another operator, with its settings.
public struct FusedActivation: Sendable {
  /// What is applied; nil for nothing.
  public let operation: (any Operator)?
  /// The operator's inputs behind the first: the bounds of a ``Clip``.
  public let bounds: [Tensor]

  /// The activation of that name; parameters in ONNX Runtime's order.
  init(_ name: String?, parameters: [Float], _ attributes: inout AttributeReader) throws {
    func make<Op: Operator>(_ type: Op.Type, _ names: String...) throws -> Op {
      var reader = AttributeReader(
        Dictionary(
          uniqueKeysWithValues: zip(names, parameters).map { ($0, AttributeValue.float($1)) }),
        opset: attributes.opset)
      return try Op(&reader)
    }
    switch name {
    case nil, "": operation = nil
    case "Relu": operation = Relu()
    case "Tanh": operation = Tanh()
    case "Sigmoid": operation = Sigmoid()
    case "LeakyRelu": operation = try make(LeakyRelu.self, "alpha")
    case "HardSigmoid": operation = try make(HardSigmoid.self, "alpha", "beta")
    case "Clip": operation = Clip()
    case .some(let other):
      throw attributes.invalid(
        "activation",
        "is '\(other)'; known are Relu, Tanh, Sigmoid, LeakyRelu, HardSigmoid, Clip")
    }
    guard name == "Clip" else {
      bounds = []
      return
    }
    guard parameters.count == 2 else {
      throw attributes.invalid("activation_params", "is \(parameters); Clip has two bounds")
    }
    bounds = parameters.map { Tensor(scalar: $0) }
  }
}
