import Graphs
import Tensors
import Testing

@Suite struct ElementwiseOperatorTests {
  static let arithmetic: [OperatorName] = ["Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Mean"]
  static let comparisons: [OperatorName] = [
    "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual",
  ]
  static let functions: [OperatorName] = [
    "Neg", "Abs", "Sign", "Reciprocal", "Sqrt", "Exp", "Log", "Floor", "Ceil", "Round", "Erf",
    "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh",
    "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "Sigmoid", "HardSigmoid",
    "HardSwish", "Mish", "Softplus", "Softsign", "Gelu", "Swish", "Shrink", "Softmax", "LogSoftmax",
    "Hardmax", "LpNormalization", .microsoft("Gelu"), .microsoft("QuickGelu"),
    .microsoft("FastGelu"),
  ]

  @Test(arguments: arithmetic) func arithmeticIsBroadcast(_ name: OperatorName) throws {
    #expect(try outputTypes(name, [float("N", 3, 1), float(4)]) == ["float32[N, 3, 4]"])
    #expect(try outputTypes(name, [float(2), anything]) == ["float32[…]"])
  }

  @Test(arguments: comparisons) func comparisonsGiveBooleans(_ name: OperatorName) throws {
    #expect(try outputTypes(name, [float("N", 1), float(4)]) == ["bool[N, 4]"])
  }

  @Test(arguments: functions) func functionsKeepTheType(_ name: OperatorName) throws {
    #expect(try outputTypes(name, [float("N", 3)], opset: 24) == ["float32[N, 3]"])
    #expect(try outputTypes(name, [anything], opset: 24) == ["?[…]"])
    #expect(
      typeProblem(name, [float(3)], ["shape_of_things": .int(1)], opset: 24)
        == "node: \(name) has unknown attributes: shape_of_things")
  }

  @Test func othersRules() throws {
    #expect(try outputTypes("Pow", [float(2), ValueType(.int64, [3, 1])]) == ["float32[3, 2]"])
    #expect(try outputTypes("IsNaN", [float("N")]) == ["bool[N]"])
    #expect(try outputTypes("IsInf", [float("N")]) == ["bool[N]"])
    #expect(
      try outputTypes("Where", [ValueType(.bool, [2, 1]), float(3), float()]) == ["float32[2, 3]"])
    #expect(try outputTypes("Clip", [float(2), nil, float()]) == ["float32[2]"])
    #expect(try outputTypes("PRelu", [float("N", 3, 4), float(3, 1)]) == ["float32[N, 3, 4]"])
    #expect(try outputTypes("Not", [ValueType(nil, ["N"])]) == ["bool[N]"])
  }

  @Test func refusals() {
    #expect(typeProblem("And", [float(1), float(1)]) == "input 0 is float32[1]; must be bool")
    #expect(typeProblem("Not", [float(1)]) == "input 0 is float32[1]; must be bool")
    #expect(
      typeProblem("Where", [float(1), float(1), float(1)]) == "input 0 is float32[1]; must be bool")
    #expect(
      typeProblem("BitShift", [anything, anything])
        == "node: attribute 'direction' is missing; the operator needs it")
    #expect(
      typeProblem("BitShift", [anything, anything], ["direction": .string("UP")])
        == "node: attribute 'direction' is 'UP'; known are LEFT, RIGHT")
    #expect(
      typeProblem("Gelu", [anything], ["approximate": .string("cubic")])
        == "node: attribute 'approximate' is 'cubic'; known are none, tanh")
    #expect(
      typeProblem("Mod", [float(1), float(1)])
        == "attribute 'fmod' is 0; must be 1 for floating-point numbers")
    #expect(
      typeProblem("PRelu", [float(2), float(3, 1)])
        == "slopes float32[3, 1] can't be broadcast to float32[2]")
    #expect(
      typeProblem("Softmax", [float(2, 3)], ["axis": .int(2)])
        == "axis 2 is out of range; must be -2 to 1")
    #expect(
      typeProblem("LeakyRelu", [anything], ["alpha": .int(1)])
        == "node: attribute 'alpha' is an integer; must be a number")
    #expect(typeProblem("Add", [anything]) == "node: Add has 1 inputs; must have 2")
  }
}
