import Graphs
import Tensors
import Testing

@Suite struct ConvolutionOperatorTests {
  static let image = float("N", 3, 224, "W")

  @Test func lengths() throws {
    let w = float(32, 3, 3, 3)
    #expect(try outputTypes("Conv", [Self.image, w]) == ["float32[N, 32, 222, ?]"])
    // A length that isn't known is kept where the kernel and the padding keep it.
    #expect(
      try outputTypes("Conv", [Self.image, w], ["pads": .ints([0, 1, 1, 1])])
        == ["float32[N, 32, 223, W]"])
    #expect(
      try outputTypes("Conv", [Self.image, w], ["auto_pad": .string("SAME_UPPER")])
        == ["float32[N, 32, 224, W]"])
    #expect(
      try outputTypes(
        "Conv", [Self.image, w], ["strides": .ints([2, 2]), "dilations": .ints([2, 2])])
        == ["float32[N, 32, 110, ?]"])
    #expect(try outputTypes("Conv", [anything, w]) == ["float32[…]"])
    #expect(try outputTypes("Conv", [Self.image, anything]) == ["float32[N, ?, ?, ?]"])
    #expect(
      try outputTypes("Conv", [Self.image, anything], ["kernel_shape": .ints([1, 1])])
        == ["float32[N, ?, 224, W]"])
    #expect(
      try outputTypes("ConvInteger", [ValueType(.uint8, [1, 1, 4]), ValueType(.int8, [2, 1, 3])])
        == ["int32[1, 2, 2]"])
    #expect(
      try outputTypes(.microsoft("FusedConv"), [Self.image, w]) == ["float32[N, 32, 222, ?]"])
  }

  @Test func transposedLengths() throws {
    let (x, w) = (float("N", 4, 5, "W"), float(4, 2, 3, 3))
    let strides = ["strides": AttributeValue.ints([2, 2])]
    #expect(try outputTypes("ConvTranspose", [x, w], strides) == ["float32[N, 2, 11, ?]"])
    #expect(
      try outputTypes("ConvTranspose", [x, w], strides.merging(["group": .int(2)]) { $1 })
        == ["float32[N, 4, 11, ?]"])
    #expect(
      try outputTypes(
        "ConvTranspose", [x, w], strides.merging(["output_padding": .ints([1, 1])]) { $1 })
        == ["float32[N, 2, 12, ?]"])
    #expect(
      try outputTypes(
        "ConvTranspose", [x, w], strides.merging(["output_shape": .ints([10, 9])]) { $1 })
        == ["float32[N, 2, 10, 9]"])
    #expect(
      typeProblem("ConvTranspose", [x, float(5, 2, 3, 3)])
        == "the input has 4 channels, the weights 5 in 1 groups")
  }

  /// Attributes from a file that must not end in a trap.
  static let badAttributes: [(String, AttributeValue, String)] = [
    ("strides", .ints([0, 1]), "attribute 'strides' is [0, 1]; must be from 1 to 1073741824"),
    ("strides", .ints([.max, 1]), "must be from 1 to 1073741824"),
    (
      "dilations", .ints([1, -1]), "attribute 'dilations' is [1, -1]; must be from 1 to 1073741824"
    ),
    (
      "pads", .ints([0, 0, 0, -1]),
      "attribute 'pads' is [0, 0, 0, -1]; must be from 0 to 1073741824"
    ),
    ("pads", .ints([1, 1, 1]), "must have the same"),
    ("pads", .ints([1, 1]), "the window has 1 spatial axes, the input 2; must be the same"),
    ("kernel_shape", .ints([]), "the window has 0 spatial axes, the input 2"),
    (
      "kernel_shape", .ints([3, 5]),
      "attribute 'kernel_shape' is [3, 5], the weights' kernel [3, 3]"
    ),
    ("group", .int(0), "attribute 'group' is 0; must be 1 or greater"),
    ("group", .int(.min), "must be 1 or greater"),
    ("group", .int(2), "the input has 3 channels, the weights 3 in each of 2 groups"),
    ("auto_pad", .string("SAME"), "attribute 'auto_pad' is 'SAME'; known are NOTSET, VALID"),
    ("dilations", .ints([1 << 30, 1 << 30]), "the kernel reaches over 2147483649 elements"),
  ]

  @Test(arguments: badAttributes.indices) func refusesAttributes(_ index: Int) {
    let (name, value, message) = Self.badAttributes[index]
    let inputs: [ValueType?] = [float(1, 3, 8, 8), float(4, 3, 3, 3)]
    #expect(typeProblem("Conv", inputs, [name: value]).contains(message))
  }

  @Test func refusesShapes() {
    let w = float(4, 3, 3, 3)
    #expect(
      typeProblem("Conv", [float(1, 3, 8), w])
        == "the input is float32[1, 3, 8], the weights float32[4, 3, 3, 3]; must have as many axes")
    #expect(
      typeProblem("Conv", [float(1, 3), float(4, 3)])
        == "the input has 2 axes; must have batch, channel and 1 or more")
    #expect(
      typeProblem("Conv", [float(1, 3, 8, 8), float(4, 3, 0, 3)]).contains("its kernel 0"))
    #expect(
      typeProblem("Conv", [float(1, 3, .fixed(.max), 8), w]).contains("has 9223372036854775807"))
    #expect(
      typeProblem("Conv", [float(1, 6, 8, 8), float(3, 3, 3, 3)], ["group": .int(2)])
        == "3 output channels can't be split into 2 groups")
    #expect(
      typeProblem("Conv", [float(1, 3, 8, 8), w, float(4, 1)])
        == "the bias is float32[4, 1]; must be a vector of length 4")
    #expect(
      typeProblem("ConvInteger", [float(1, 3, 8, 8), w]).contains("must be int8, uint8"))
    #expect(
      typeProblem(.microsoft("FusedConv"), [float(1, 3, 8, 8), w], ["activation": .string("Gelu")])
        == "node: attribute 'activation' is 'Gelu'; known are Relu, Tanh, Sigmoid, LeakyRelu, HardSigmoid, Clip"
    )
  }
}
