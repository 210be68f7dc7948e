import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct QuantizationPlannerTests {
  func treatments(
    _ model: Model, _ recipe: Recipe
  ) throws -> [String: QuantizationPlan.Treatment] {
    Dictionary(
      uniqueKeysWithValues: try model.quantizationPlan(for: recipe).entries.map {
        ($0.node, $0.treatment)
      })
  }

  @Test func mobileNetwork() throws {
    let model = SmallNetwork.mobile().model(outputs: ["y"])
    let plan = try model.quantizationPlan(for: .named("w8a8"))
    #expect(
      plan.entries.map { "\($0.node) \($0.treatment.rawValue)" } == [
        "stem static", "stem_a absorbed", "expand static", "expand_a absorbed", "depthwise static",
        "depthwise_a absorbed", "project static", "sum static", "pool static", "flat sharing",
        "y static",
      ])
    #expect(plan.summary == "7 static, 3 absorbed, 1 sharing")
    #expect(plan.values["flat"]?.root == plan.values["pool"]?.root)
    #expect(plan.ranges["stem_a"]?.bounds == 0...1.5)
    #expect("\(plan.entries[4].weights!)" == "int8 symmetric perChannel(axis: 0)")
  }

  @Test func saysWhatIsForSize() throws {
    let sizeOfFile = "weights alone are for the size of the file and not for speed"
    let codes = "4-bit weights of matrix products stay codes in memory"
    func notes(_ network: SmallNetwork, _ output: String, _ recipe: String) throws -> [String] {
      let model = network.model(outputs: [output])
      return try model.quantizationPlan(for: .named(recipe)).speedNotes
    }
    #expect(try notes(.mobile(), "y", "w8a8").isEmpty)
    let rounded = try notes(.mobile(), "y", "w8a16")
    #expect(rounded.count == 1)
    #expect(rounded[0].hasPrefix("16-bit activations are for size and not for speed"))
    for recipe in ["w8", "w4"] {
      let found = try notes(.mobile(), "y", recipe)
      #expect(found.count == 1 && found[0].hasPrefix(sizeOfFile))
    }
    var product = SmallNetwork()
    product.add("Flatten", "flat", ["x"])
    let weight = product.constant("w", product.tensor([192, 5]))
    product.add("MatMul", "y", ["flat", weight])
    #expect(try notes(product, "y", "w8").map { $0.hasPrefix(sizeOfFile) } == [true])
    #expect(try notes(product, "y", "w4").map { $0.hasPrefix(codes) } == [true])
    product.convolution("conv", "x", [4, 3, 3, 3])
    let both = try product.model(outputs: ["y", "conv"]).quantizationPlan(for: .named("w4"))
    #expect(both.speedNotes.count == 2)
  }

  @Test func planPrintsAsTable() throws {
    var network = SmallNetwork()
    network.convolution("conv", "x", [4, 3, 3, 3])
    network.add("Erf", "y", ["conv"])
    let plan = try network.model(outputs: ["y"]).quantizationPlan(for: .named("w8a8"))
    #expect(
      plan.description == """
        node  operator  treatment  weights                             activations             note
        conv  Conv      static     int8 symmetric perChannel(axis: 0)  uint8 affine perTensor
        y     Erf       float      –                                   –                       no integer form
        """)
  }

  @Test func symmetricActivationsKeepTheirClamp() throws {
    let recipe = try Recipe.named("w8a8") {
      ($0.activations!.type, $0.activations!.mapping) = (.int8, .symmetric)
    }
    let treatments = try treatments(SmallNetwork.mobile().model(outputs: ["y"]), recipe)
    #expect(treatments["stem_a"] == .integer)
  }

  @Test func clampOfAValueThatIsReadElsewhereStays() throws {
    var network = SmallNetwork()
    network.convolution("conv", "x", [4, 3, 3, 3])
    network.add("Relu", "relu", ["conv"])
    network.add("Add", "y", ["conv", "relu"])
    #expect(try treatments(network.model(outputs: ["y"]), .named("w8a8"))["relu"] == .integer)
    var other = SmallNetwork()
    other.convolution("conv", "x", [4, 3, 3, 3])
    other.add("Relu", "y", ["conv"])
    #expect(
      try treatments(other.model(outputs: ["y", "conv"]), .named("w8a8"))["y"] == .integer)
  }

  @Test func concatenationSharesWhereClampsAreAlike() throws {
    func network(_ second: OperatorName) -> Model {
      var network = SmallNetwork()
      network.convolution("a", "x", [4, 3, 3, 3])
      network.add("Relu", "ar", ["a"])
      network.convolution("b", "x", [4, 3, 3, 3])
      network.add(second, "br", ["b"])
      network.add("Concat", "y", ["ar", "br"], ["axis": .int(1)])
      return network.model(outputs: ["y"])
    }
    let alike = try network("Relu").quantizationPlan(for: .named("w8a8"))
    #expect(alike.entries.last?.treatment == .sharing)
    #expect(Set(["ar", "br", "y"].map { alike.values[$0]?.root }).count == 1)
    let mixed = try network("LeakyRelu").quantizationPlan(for: .named("w8a8"))
    #expect(mixed.entries.last?.treatment == .integer)
    #expect(mixed.entries.last?.note == "inputs are clamped differently: a range of its own")
    #expect(mixed.values["ar"]?.root != mixed.values["br"]?.root)
  }

  @Test func nodesThatAreKeptFloat() throws {
    let recipe = try Recipe.named("w8a8") {
      $0.keepFloat = [try NodePattern("depthwise"), try NodePattern("last")]
    }
    let plan = try SmallNetwork.mobile().model(outputs: ["y"]).quantizationPlan(for: recipe)
    let kept = plan.entries.filter { $0.treatment == .float }
    #expect(kept.map(\.node) == ["depthwise", "depthwise_a", "y"])
    #expect(kept[0].note == "keepFloat 'depthwise'")
    #expect(kept[1].note == "its input is not quantized")
    #expect(kept[2].note == "keepFloat 'last'")
  }

  @Test func patternThatMatchesNothingIsRefused() throws {
    let recipe = try Recipe.named("w8a8") { $0.keepFloat = [try NodePattern("no_such_node")] }
    #expect(throws: RecipeError.self) {
      try SmallNetwork.mobile().model(outputs: ["y"]).quantizationPlan(for: recipe)
    }
  }

  @Test func settingsThatContradictInAGroupAreRefused() throws {
    var network = SmallNetwork()
    network.convolution("a", "x", [4, 3, 3, 3])
    network.convolution("b", "x", [4, 3, 3, 3])
    network.add("Concat", "y", ["a", "b"], ["axis": .int(1)])
    var changes = Recipe.ActivationChanges()
    changes.type = .int8
    let recipe = try Recipe.named("w8a8") {
      $0.overrides = [.init(match: try NodePattern("b"), activations: changes)]
    }
    let error = #expect(throws: QuantizationError.self) {
      try network.model(outputs: ["y"]).quantizationPlan(for: recipe)
    }
    #expect(
      error?.description
        == "b: 'b' is to be int8 affine perTensor, but shares its range with 'a', which is to be "
        + "uint8 affine perTensor; give both the same settings, or keep one in float")
  }

  @Test func arithmeticThatIsFarFromLayersStaysFloat() throws {
    var network = SmallNetwork()
    network.add("Mul", "scaled", ["x", network.constant("k", Tensor(scalar: Float(2)))])
    network.convolution("conv", "scaled", [4, 3, 3, 3])
    let plan = try network.model(outputs: ["conv"]).quantizationPlan(for: .named("w8a8"))
    #expect(plan.entries.map(\.treatment) == [.float, .integer])
    #expect(plan.entries[0].note == "none of its inputs is quantized")
  }

  @Test func softmaxIsQuantizedForLayersOnly() throws {
    var network = SmallNetwork()
    network.convolution("conv", "x", [4, 3, 3, 3])
    network.add("Softmax", "shares", ["conv"], ["axis": .int(1)])
    network.add("Flatten", "flat", ["shares"])
    var plan = try network.model(outputs: ["flat"]).quantizationPlan(for: .named("w8a8"))
    #expect(plan.entries.map(\.treatment) == [.integer, .float, .float])
    #expect(
      plan.entries[1].note
        == "no integers are computed from its output, whose small numbers codes would lose")
    network.convolution("y", "shares", [2, 4, 1, 1])
    plan = try network.model(outputs: ["flat", "y"]).quantizationPlan(for: .named("w8a8"))
    #expect(plan.entries.map(\.treatment) == [.integer, .integer, .sharing, .integer])
    #expect(plan.ranges["shares"]?.fixed == ValueRange(0, 1))
  }

  @Test func biasBehindAMatrixProductIsAddedInFloat() throws {
    var network = SmallNetwork()
    let weight = network.constant("w", network.tensor([6, 4]))
    network.add("MatMul", "product", ["x", weight])
    network.add("Add", "y", ["product", network.constant("b", network.tensor([4]))])
    let plan = try network.model(x: ValueType(.float32, ["N", 5, 6]), outputs: ["y"])
      .quantizationPlan(for: .named("w8a8"))
    #expect(plan.values["product"] == nil)
    #expect(
      plan.entries.map(\.note) == ["its output is added to in float", "adds the bias in float"])
  }

  @Test(arguments: [
    (reader: OperatorName?.none, isFloat: true), (reader: "Erf", isFloat: true),
    (reader: "Softmax", isFloat: true), (reader: "Sigmoid", isFloat: false),
    (reader: "Relu", isFloat: false),
  ])
  func resultsOfProductsThatNothingReadsAsCodesStayFloat(
    reader: OperatorName?, isFloat: Bool
  ) throws {
    var network = SmallNetwork()
    let weight = network.constant("w", network.tensor([6, 4]))
    network.add("Gemm", "product", ["x", weight])
    if let reader { network.add(reader, "y", ["product"]) }
    let plan = try network.model(
      x: ValueType(.float32, ["N", 6]), outputs: [reader == nil ? "product" : "y"]
    ).quantizationPlan(for: .named("w8a8"))
    #expect(plan.entries[0].treatment == .integer)
    #expect((plan.entries[0].activations == nil) == (isFloat || reader == "Relu"))
    #expect(
      plan.entries[0].note == (isFloat ? "gives floats, since nothing reads its codes" : ""))
    #expect(plan.values["x"] != nil)
  }

  /// A mean on codes would not be the mean of the numbers that it is taken from.
  @Test func meansOfNormalizationsStayFloat() throws {
    var network = SmallNetwork()
    network.add("MatMul", "a", ["x", network.constant("w", network.tensor([6, 6]))])
    network.add("Add", "sum", ["a", "x"])
    let axes = network.constant("axes", Tensor([Int64(-1)]))
    network.add("ReduceMean", "mean", ["sum", axes])
    network.add("Sub", "centred", ["sum", "mean"])
    network.add("ReduceMean", "pooled", ["sum", axes])
    let plan = try network.model(
      x: ValueType(.float32, [2, 5, 6]), outputs: ["centred", "pooled"]
    )
    .quantizationPlan(for: .named("w8a8"))
    let notes = Dictionary(plan.entries.map { ($0.output, $0) }, uniquingKeysWith: { $1 })
    #expect(notes["mean"]?.treatment == .float)
    #expect(
      notes["mean"]?.note
        == "a normalization's mean: codes would not match the numbers it is taken from")
    #expect(notes["pooled"]?.treatment == .integer)
  }

  /// Masks add numbers so large that no step fits them and the scores both.
  @Test func maskedScoresStayFloatUpToTheSoftmax() throws {
    var network = SmallNetwork()
    for name in ["q", "k"] {
      network.add("MatMul", name, ["x", network.constant(name + "_w", network.tensor([6, 6]))])
    }
    network.add("Transpose", "kt", ["k"], ["perm": .ints([0, 2, 1])])
    network.add("MatMul", "scores", ["q", "kt"])
    network.add("Add", "masked", ["scores", network.constant("mask", network.tensor([5, 5]))])
    network.add("Softmax", "shares", ["masked"])
    network.add("MatMul", "y", ["shares", "x"])
    let plan = try network.model(x: ValueType(.float32, [2, 5, 6]), outputs: ["y"])
      .quantizationPlan(for: .named("w8a8"))
    let notes = Dictionary(plan.entries.map { ($0.output, $0) }, uniquingKeysWith: { $1 })
    for name in ["masked", "shares"] {
      #expect(notes[name]?.treatment == .float)
      #expect(notes[name]?.note == "scores before a softmax may be masked")
    }
    #expect(plan.values["scores"] == nil && plan.values["masked"] == nil)
    #expect(plan.values["q"] != nil && plan.values["shares"] != nil)
    #expect(notes["y"]?.treatment == .integer)
  }

  @Test(arguments: [
    ("weights: {type: int4}", "operator:Relu", true), ("weights: {type: int8}", "conv", true),
    ("activations: {type: int8}", "y", true), ("weights: {type: int4}", "conv", false),
    ("weights: {estimator: mse}", "conv", false), ("activations: {estimator: mse}", "conv", false),
    ("keepFloat: true", "conv", false),
  ])
  func overridesThatChangeNothingAreRefused(
    change: String, match: String, isRefused: Bool
  ) throws {
    var network = SmallNetwork()
    network.convolution("conv", "x", [4, 3, 3, 3])
    network.add("Relu", "relu", ["conv"])
    network.add("Flatten", "flat", ["relu"])
    network.add("Gemm", "y", ["flat", network.constant("w", network.tensor([256, 5]))])
    let model = network.model(x: ValueType(.float32, [1, 3, 8, 8]), outputs: ["y"])
    let recipe = try Recipe(
      yaml: "{name: a, method: static, overrides: [{match: '\(match)', \(change)}]}")
    do {
      _ = try model.quantizationPlan(for: recipe)
      #expect(!isRefused)
    } catch let error as RecipeError {
      #expect(isRefused && error.message.hasPrefix("override '\(match)' changes nothing"))
    }
  }

  @Test func dynamicTakesProductsAndKeepsConvolutionsFloat() throws {
    let plan = try SmallNetwork.mobile().model(outputs: ["y"])
      .quantizationPlan(for: .named("w8a8-dynamic"))
    #expect(plan.entries.first?.treatment == .weightOnly)
    #expect(plan.entries.first?.note == "dynamic convolutions are slower than float ones")
    #expect(plan.entries.last?.treatment == .dynamic)
    #expect(plan.ranges.isEmpty)
  }
}
