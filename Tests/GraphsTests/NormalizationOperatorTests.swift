import Graphs
import Tensors
import Testing

@Suite struct NormalizationOperatorTests {
  @Test func batchNormalization() throws {
    let (x, vector) = (float("N", 8, 10, "W"), float(8))
    let inputs: [ValueType?] = [x, vector, vector, vector, vector]
    #expect(try outputTypes("BatchNormalization", inputs) == ["float32[N, 8, 10, W]"])
    #expect(
      try outputTypes("BatchNormalization", inputs, ["training_mode": .int(1)], outputs: 3)
        == ["float32[N, 8, 10, W]", "float32[8]", "float32[8]"])
    #expect(
      typeProblem("BatchNormalization", inputs, outputs: 3)
        == "has 3 outputs; must have 1 where training_mode is 0")
    #expect(
      typeProblem("BatchNormalization", [x, vector, float(7), vector, vector])
        == "the bias is float32[7]; must be a vector of length 8")
    #expect(
      typeProblem("BatchNormalization", inputs, ["epsilon": .float(-1)])
        == "node: attribute 'epsilon' is -1.0; must be 0 or greater")
    #expect(typeProblem("BatchNormalization", inputs, ["epsilon": .float(.nan)]).contains("nan"))
  }

  @Test func layerNormalization() throws {
    let x = float("N", 5, 8)
    #expect(
      try outputTypes("LayerNormalization", [x, float(8)], outputs: 3)
        == ["float32[N, 5, 8]", "float32[N, 5, 1]", "float32[N, 5, 1]"])
    #expect(
      try outputTypes("LayerNormalization", [anything, float(8)], outputs: 2)
        == ["?[…]", "float32[…]"])
    #expect(
      typeProblem("LayerNormalization", [x, float(8)], ["axis": .int(3)])
        == "axis 3 is out of range; must be -3 to 2")
    #expect(
      typeProblem("LayerNormalization", [x, float(8)], ["stash_type": .int(6)])
        == "node: attribute 'stash_type' is int32; must be a floating-point type")
    #expect(
      try outputTypes(
        .microsoft("SkipLayerNormalization"), [x, x, float(8)], outputs: 4)
        == ["float32[N, 5, 8]", "float32[N, 5, 1]", "float32[N, 5, 1]", "float32[N, 5, 8]"])
  }

  @Test func groups() throws {
    let x = float("N", 8, 10)
    let attributes = ["num_groups": AttributeValue.int(4)]
    #expect(
      try outputTypes("GroupNormalization", [x, float(8), float(8)], attributes, opset: 21)
        == ["float32[N, 8, 10]"])
    #expect(
      try outputTypes("GroupNormalization", [x, float(4), float(4)], attributes, opset: 20)
        == ["float32[N, 8, 10]"])
    #expect(
      typeProblem("GroupNormalization", [x, float(8), float(8)], attributes, opset: 20)
        == "the scale is float32[8]; must be a vector of length 4")
    #expect(
      typeProblem("GroupNormalization", [x, float(8), float(8)], ["num_groups": .int(0)])
        == "node: attribute 'num_groups' is 0; must be 1 or greater")
    #expect(
      typeProblem("GroupNormalization", [x, float(8), float(8)])
        == "node: attribute 'num_groups' is missing; the operator needs it")
    #expect(
      typeProblem("InstanceNormalization", [float(1, 8), float(8), float(8)])
        .contains("must have at least 3 axes"))
  }

  @Test func others() throws {
    #expect(
      typeProblem("LRN", [float(1, 8)], ["size": .int(0)])
        == "node: attribute 'size' is 0; must be 1 or greater")
    #expect(
      typeProblem("LpNormalization", [float(1)], ["p": .int(3)])
        == "node: attribute 'p' is 3; must be 1 or 2")
    #expect(
      typeProblem("MeanVarianceNormalization", [float(1, 2)])
        == "axis 2 is out of range; must be -2 to 1")
    #expect(
      try outputTypes("RMSNormalization", [float("N", 8), float(8)], opset: 23)
        == ["float32[N, 8]"])
  }
}
