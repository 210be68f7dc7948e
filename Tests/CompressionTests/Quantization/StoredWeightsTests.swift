import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

/// Weights of other nodes than layers, kept as codes.
@Suite struct StoredWeightsTests {
  private func quantized(_ model: Model, _ recipe: Recipe) throws -> Model {
    try model.quantized(by: recipe, given: CalibrationStatistics([:]))
  }

  private func table(_ rows: Int = 64, _ columns: Int = 32) -> Model {
    var network = SmallNetwork()
    network.add("Gather", "y", [network.constant("table", network.tensor([rows, columns])), "x"])
    return network.model(x: ValueType(.int64, ["N", 3]), outputs: ["y"])
  }

  // MARK: - Tables

  @Test(
    arguments: ["int8", "uint8", "int5", "int4", "uint4", "int3"],
    ["perTensor", "perChannel", "perGroup(16)", "perGroup(24)"])
  func rowsAreThoseOfTheDequantizedTable(type: String, granularity: String) throws {
    for mapping in ["symmetric", "affine"] {
      let recipe = try Recipe(
        yaml: """
          name: a
          method: weightOnly
          weights: {type: \(type), granularity: \(granularity), mapping: \(mapping)}
          """)
      let model = try quantized(table(), recipe)
      let weight = try #require(table().graph.constants["table"])
      let scheme = try recipe.weights.scheme(outputAxis: 0, inputAxis: 1)
      let expected = try QuantizedTensor(
        quantizing: weight, scheme: scheme,
        parameters: recipe.weights.estimator.estimator.parameters(of: weight, for: scheme)
      ).dequantized().elements(of: Float.self)
      let places: [Int64] = [5, 63, 0, 5, -1, 17]
      let found = try #require(
        try CompiledModel(model).run(["x": Tensor(places, shape: [2, 3])])["y"])
      #expect(found.shape == [2, 3, 32])
      let rows = places.flatMap { place -> [Float] in
        let row = Int(place < 0 ? place + 64 : place)
        return Array(expected[row * 32..<row * 32 + 32])
      }
      #expect(found.elements(of: Float.self) == rows)
      let bytes = model.graph.constants.values.filter { $0.elementType.bitWidth == 8 }
      let codes = try #require(bytes.max { $0.count < $1.count })
      #expect(codes.count == (scheme.code.bitWidth <= 4 ? 64 * 16 : 64 * 32))
    }
  }

  @Test func signedRowsTakeOneScaleEach() throws {
    let model = try quantized(table(), .named("w8"))
    #expect(
      model.lines == [
        "y_rows = Gather(table_codes, x)", "y_numbers = Cast(y_rows)",
        "y_scales = Gather(table_scale, x)", "y = Mul(y_numbers, y_scales)",
      ])
    #expect(model.graph.constants["table_scale"]?.shape == [64, 1])
    #expect(model.opset == 17)
  }

  @Test func tableOfTwoReadersIsStoredOnce() throws {
    var network = SmallNetwork()
    let table = network.constant("table", network.tensor([64, 32]))
    network.add("Gather", "a", [table, "x"])
    network.add("Gather", "b", [table, "x"])
    network.add("Add", "y", ["a", "b"])
    let model = try quantized(
      network.model(x: ValueType(.int64, ["N"]), outputs: ["y"]), .named("w4"))
    #expect(model.graph.constants.values.count { $0.shape == [64, 16] } == 1)
  }

  @Test(arguments: ["w8a8", "w8a8-dynamic"]) func otherMethodsStoreTablesToo(preset: String) throws
  {
    let plan = try table().quantizationPlan(for: .named(preset))
    #expect(plan.entries[0].treatment == .weightOnly)
    #expect(plan.entries[0].note == "rows are read as codes")
    #expect(plan.weightBytes.float.isEmpty)
  }

  @Test func tablesThatStaySayWhy() throws {
    let odd = try table(64, 33).quantizationPlan(for: .named("w4"))
    #expect(odd.entries[0].note == "rows of 33 codes of 4 bits don't fill bytes")
    #expect(odd.weightBytes.float[0].reason == odd.entries[0].note)
    let two = try Recipe(
      yaml: "{name: a, method: weightOnly, weights: {type: int2, mapping: symmetric}}")
    #expect(
      try table().quantizationPlan(for: two).entries[0].note
        == "Gather reads bytes: codes of 3 to 8 bits, not int2")
    #expect(try table(8, 8).quantizationPlan(for: .named("w8")).entries[0].weights == nil)
  }

  // MARK: - Others

  /// Networks of one node with weights, and their input.
  static let networks: [(name: String, model: Model, x: Shape)] = {
    var list: [(String, Model, Shape)] = []
    for (operation, gates) in [("RNN", 1), ("GRU", 3), ("LSTM", 4)] {
      var network = SmallNetwork()
      let w = network.constant("w", network.tensor([2, gates * 8, 32]))
      let r = network.constant("r", network.tensor([2, gates * 8, 8]))
      network.add(
        OperatorName(operation), "y", ["x", w, r],
        ["hidden_size": .int(8), "direction": .string("bidirectional")])
      list.append(
        (operation, network.model(x: ValueType(.float32, [5, 2, 32]), outputs: ["y"]), [5, 2, 32]))
    }
    func product(_ name: String, _ weight: Shape, first: Bool = false, x: Shape) {
      var network = SmallNetwork()
      let w = network.constant("w", network.tensor(weight))
      network.add("MatMul", "y", first ? [w, "x"] : ["x", w])
      list.append((name, network.model(x: ValueType(.float32, x), outputs: ["y"]), x))
    }
    product("stack", [3, 32, 6], x: [3, 4, 32])
    product("first", [6, 32], first: true, x: [32, 5])
    product("first stack", [3, 6, 32], first: true, x: [3, 32, 5])
    for isTransposed in [false, true] {
      var network = SmallNetwork()
      let w = network.constant("w", network.tensor(isTransposed ? [6, 32] : [32, 6]))
      let b = network.constant("b", network.tensor([4, 1]))
      network.add("Gemm", "y", ["x", w, b], ["transB": .int(isTransposed ? 1 : 0)])
      list.append(
        ("bias by row", network.model(x: ValueType(.float32, [4, 32]), outputs: ["y"]), [4, 32]))
    }
    return list
  }()

  @Test(arguments: ["w8", "w4", "w4-per-channel", "w8a8-dynamic"], networks.indices)
  func weightsBecomeCodes(preset: String, index: Int) throws {
    let (name, float, shape) = Self.networks[index]
    let recipe = try Recipe.named(preset)
    let plan = try float.quantizationPlan(for: recipe)
    #expect(plan.entries[0].treatment == .weightOnly, "\(name)")
    let model = try quantized(float, recipe)
    #expect(model.graph.constants["w"] == nil && model.graph.constants["r"] == nil)
    #expect(plan.weightBytes.float.allSatisfy { $0.name == "b" })
    // What is computed is what the dequantized weights give.
    var expected = float
    let scheme = try #require(plan.entries[0].weights)
    for constant in ["w", "r"] {
      guard let weight = float.graph.constants[constant] else { continue }
      expected.graph.constants[constant] = try QuantizedTensor(
        quantizing: weight, scheme: scheme,
        parameters: recipe.weights.estimator.estimator.parameters(of: weight, for: scheme)
      ).dequantized()
    }
    let sample = ["x": Tensor.ramp(shape)]
    let error = relativeError(
      try CompiledModel(model).run(sample)["y"], try Interpreter(expected).run(sample)["y"])
    #expect(error < 1e-5, "\(name)")
  }

  @Test(
    arguments: zip(
      [0, 1, 2, 3, 4, 5, 6, 7],
      [
        "RNN", "GRU", "LSTM", "product of stacked matrices", "product with its weights first",
        "product with its weights first", "Gemm of this form", "Gemm of this form",
      ]))
  func staticNetworksKeepThemFloatAndSayWhatToDo(index: Int, kind: String) throws {
    let float = Self.networks[index].model
    let plan = try float.quantizationPlan(for: .named("w8a8"))
    #expect(plan.entries[0].treatment == .float)
    #expect(
      plan.entries[0].note == "static recipes compute no \(kind) in integers; w8 or w8a8-dynamic "
        + "store its weights as codes")
    #expect(plan.weightBytes.float[0].reason == plan.entries[0].note)
    try plan.verify(float)
  }

  // MARK: - Short groups

  /// A convolution whose outputs sum `length` channels.
  private func convolution(_ length: Int, groups: Int = 1) -> Model {
    var network = SmallNetwork()
    network.convolution("y", "x", [8, length, 3, 3], groups: groups)
    return network.model(
      x: ValueType(.float32, [1, length * groups, 8, 8]), outputs: ["y"])
  }

  @Test(arguments: [1, 4, 8, 9, 31, 64])
  func shortGroupsBecomeEightBitsWithOneScalePerOutput(length: Int) throws {
    let isShort = length < 9
    let float = convolution(length, groups: length == 1 ? 8 : 1)
    let entry = try float.quantizationPlan(for: .named("w4")).entries[0]
    let scheme = try #require(entry.weights)
    #expect(scheme.granularity == (isShort ? .perChannel(axis: 0) : .perGroup(size: 32, axis: 1)))
    #expect(scheme.code == (isShort ? .uint8 : .uint4))
    #expect(
      entry.note
        == (isShort ? "8 bits, one scale per output: groups of \(length) would cost more" : ""))
    let model = try quantized(float, .named("w4"))
    let scales = try #require(model.graph.constants["y_w_scale"])
    #expect(scales.count == (isShort ? 8 : 8 * 9 * ((length + 31) / 32)))
    #expect(model.graph.constants["y_w_codes"]?.elementType == (isShort ? .uint8 : .uint4))
  }

  @Test func shortGroupsThatAreAskedForAreMade() throws {
    let override = try Recipe(
      yaml: """
        name: a
        method: weightOnly
        weights: {type: int4, granularity: perGroup(64), mapping: symmetric}
        overrides: [{match: y, weights: {granularity: perGroup(32)}}]
        """)
    let entry = try convolution(4).quantizationPlan(for: override).entries[0]
    #expect(entry.weights?.granularity == .perGroup(size: 32, axis: 1) && entry.note.isEmpty)
    let small = try Recipe(
      yaml: """
        name: a
        method: weightOnly
        weights: {type: int4, granularity: perGroup(4), mapping: symmetric}
        """)
    #expect(
      try convolution(4).quantizationPlan(for: small).entries[0].weights?.granularity
        == .perGroup(size: 4, axis: 1))
  }

  @Test func verificationFindsFloatWeights() throws {
    let float = Self.networks[2].model
    let plan = try float.quantizationPlan(for: .named("w8"))
    #expect {
      try plan.verify(float)
    } throws: { error in
      "\(error)".contains("its weights 'w' are no codes of int8")
    }
    let tablePlan = try table().quantizationPlan(for: .named("w8"))
    #expect(throws: QuantizationError.self) { try tablePlan.verify(table()) }
  }
}

extension Tensor {
  /// Numbers from −1 to 1, in no order.
  fileprivate static func ramp(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.count).map { Float($0 * 37 % 101) / 50 - 1 }, shape: shape)
  }
}
