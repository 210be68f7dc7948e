import Graphs
import Tensors

extension BranchingNetwork {
  /// Adds one of all that can be added.
  mutating func addSomething() {
    let additions: [(inout BranchingNetwork) -> Void] = [
      { $0.addConvolution() }, { $0.addConvolution() }, { $0.addConvolution() },
      { $0.addConcat() }, { $0.addConcat() }, { $0.addConcat() },
      { $0.addPool() }, { $0.addElementwise() }, { $0.addSum() }, { $0.addSum() },
      { $0.addBroadcast() }, { $0.addBroadcast() }, { $0.addProduct() }, { $0.addProduct() },
      { $0.addView() }, { $0.addMovement() }, { $0.addMovement() }, { $0.addSoftmax() },
      { $0.addStackedProduct() }, { $0.addSplit() }, { $0.addMean() }, { $0.addShuffle() },
      { $0.addNormalization() }, { $0.addNormalization() }, { $0.addGelu() }, { $0.addHeads() },
    ]
    pick(additions)(&self)
  }

  private func isImage(_ shape: Shape) -> Bool { shape.rank == 4 }

  private mutating func addConvolution() {
    guard let x = value(where: isImage) else { return }
    let channels = x.shape[1]
    let isDepthwise = chance(25)
    let groups = isDepthwise ? channels : channels % 2 == 0 && chance(20) ? 2 : 1
    let outputs = isDepthwise ? channels : groups * pick([1, 3, 4, 8, 17, 33])
    let kernel = pick([1, 1, 3, 3, 5])
    let stride = pick([1, 1, 1, 2])
    let pad = kernel / 2
    let shape: Shape = [channels / groups * kernel * kernel]
    let weights = weights(
      [outputs, channels / groups, kernel, kernel], inputs: shape.count, axis: 0)
    let bias = chance(50) ? [numbers([outputs], deviation: 0.2)] : []
    add(
      "Conv", [x.name, weights] + bias,
      [x.shape[0], outputs, (x.shape[2] - 1) / stride + 1, (x.shape[3] - 1) / stride + 1],
      [
        "group": .int(groups), "pads": .ints([pad, pad, pad, pad]),
        "strides": .ints([stride, stride]), "kernel_shape": .ints([kernel, kernel]),
      ])
  }

  private mutating func addConcat() {
    guard let first = value(where: { $0.rank >= 2 && $0[1] < 100 }) else { return }
    let axis = chance(80) ? 1 : 1 + random.index(below: first.shape.rank - 1)
    var parts = [first]
    for _ in 0..<(1 + random.index(below: 3)) {
      let other = value { shape in
        shape.rank == first.shape.rank
          && (0..<shape.rank).allSatisfy { $0 == axis || shape[$0] == first.shape[$0] }
      }
      if let other { parts.append(other) }
    }
    var lengths = first.shape.dimensions
    lengths[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let written = chance(20) ? axis - first.shape.rank : axis
    add("Concat", parts.map(\.name), Shape(lengths), ["axis": .int(written)])
  }

  private mutating func addPool() {
    guard let x = value(where: isImage) else { return }
    let attributes: [String: AttributeValue] = [
      "kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]), "strides": .ints([1, 1]),
    ]
    add(pick(["MaxPool", "MaxPool", "AveragePool"]), [x.name], x.shape, attributes)
  }

  private mutating func addElementwise() {
    guard let x = value() else { return }
    let type = pick(["Relu", "Sigmoid", "Tanh", "HardSwish", "Erf", "Clip", "LeakyRelu", "Neg"])
    let bounds = type == "Clip" ? [Float(-0.5), 1.5].map { constant(Tensor(scalar: $0)) } : []
    add(type, [x.name] + bounds, x.shape)
  }

  private mutating func addSum() {
    guard let a = value(), let b = value(where: { $0 == a.shape }) else { return }
    add(pick(["Add", "Add", "Add", "Sub", "Mul"]), [a.name, b.name], a.shape)
  }

  /// With a number, a row, several rows, a column, or a number for each channel; constant or a value.
  private mutating func addBroadcast() {
    guard let x = value() else { return }
    let type = pick(["Add", "Mul", "Sub"])
    var lengths = x.shape.dimensions
    switch random.index(below: 5) {
    case 0: lengths = []
    case 1: lengths = Array(lengths.suffix(1 + random.index(below: lengths.count)))
    case 2: for axis in lengths.indices where axis != 1 { lengths[axis] = 1 }
    case 3: lengths[lengths.count - 1] = 1
    default: for axis in lengths.indices where chance(50) { lengths[axis] = 1 }
    }
    if lengths.count == x.shape.rank, chance(40) {
      let axes = lengths.indices.filter { lengths[$0] == 1 && x.shape[$0] != 1 }
      guard !axes.isEmpty else { return }
      let axesName = constant(Tensor(axes.map { Int64($0) }))
      let row = add("ReduceMean", [x.name, axesName], Shape(lengths), ["keepdims": .int(1)])
      let operands = chance(50) ? [x.name, row.name] : [row.name, x.name]
      add(type, operands, x.shape)
      return
    }
    // Constants know no batch.
    if lengths.count == x.shape.rank { lengths[0] = 1 }
    let numbers = numbers(Shape(lengths))
    add(type, chance(50) ? [x.name, numbers] : [numbers, x.name], x.shape)
  }

  private mutating func addProduct() {
    guard let x = value(where: { $0.rank >= 2 }) else { return }
    let inputs = x.shape[-1]
    let outputs = pick([1, 5, 16, 24, 33])
    let isGemm = x.shape.rank == 2 && chance(50)
    let isTransposed = isGemm && chance(50)
    let weights = weights(
      isTransposed ? [outputs, inputs] : [inputs, outputs], inputs: inputs,
      axis: isTransposed ? 0 : 1)
    var shape = x.shape.dimensions
    shape[shape.count - 1] = outputs
    if isGemm {
      let bias = chance(50) ? [numbers([outputs], deviation: 0.2)] : []
      add("Gemm", [x.name, weights] + bias, Shape(shape), ["transB": .int(isTransposed ? 1 : 0)])
      return
    }
    guard chance(50) else {
      add("MatMul", [x.name, weights], Shape(shape))
      return
    }
    let product = name("MatMul")
    nodes.append(Node("MatMul", inputs: [x.name, weights], outputs: [product]))
    let bias = numbers(chance(50) ? [outputs] : [1, outputs], deviation: 0.2)
    add("Add", chance(50) ? [product, bias] : [bias, product], Shape(shape))
  }

  private mutating func addView() {
    guard let x = value(where: { $0.rank >= 2 }) else { return }
    switch random.index(below: 4) {
    case 0: add("Identity", [x.name], x.shape)
    case 1:
      let length = x.shape.count / x.shape[0]
      add("Reshape", [x.name, constant(Tensor([-1, Int64(length)]))], [x.shape[0], length])
    case 2:
      let axes = constant(Tensor([Int64(x.shape.rank)]))
      guard x.shape.rank < 5 else { return }
      add("Unsqueeze", [x.name, axes], Shape(x.shape.dimensions + [1]))
    default:
      add("Flatten", [x.name], [x.shape[0], x.shape.count / x.shape[0]], ["axis": .int(1)])
    }
  }

  private mutating func addMovement() {
    guard let x = value(where: { $0.rank >= 2 }) else { return }
    var lengths = x.shape.dimensions
    switch random.index(below: 4) {
    case 0:
      let order = [0] + random.permutation(of: lengths.count - 1).map { $0 + 1 }
      add(
        "Transpose", [x.name], Shape(order.map { lengths[$0] }),
        ["perm": .ints(order)])
    case 1:
      let axis = 1 + random.index(below: lengths.count - 1)
      guard lengths[axis] > 1 else { return }
      lengths[axis] -= 1
      let bounds = [1, Int64(lengths[axis]) + 1, Int64(axis)].map { constant(Tensor([$0])) }
      add("Slice", [x.name] + bounds, Shape(lengths))
    case 2:
      let axis = 1 + random.index(below: lengths.count - 1)
      let picked = (0..<3).map { _ in Int64(random.index(below: lengths[axis])) }
      lengths[axis] = 3
      add("Gather", [x.name, constant(Tensor(picked))], Shape(lengths), ["axis": .int(axis)])
    default:
      guard lengths.count == 4 else { return }
      let pads = constant(Tensor([Int64(0), 0, 1, 0, 0, 0, 0, 2]))
      lengths[2] += 1
      lengths[3] += 2
      add("Pad", [x.name, pads], Shape(lengths))
    }
  }

  private mutating func addSoftmax() {
    guard let x = value(where: { $0.rank >= 2 }) else { return }
    add("Softmax", [x.name], x.shape, ["axis": .int(-1)])
  }

  /// A value times its own transpose.
  private mutating func addStackedProduct() {
    guard let x = value(where: { $0.rank >= 3 && $0[-2] < 40 }) else { return }
    let rank = x.shape.rank
    var order = Array(0..<rank)
    order.swapAt(rank - 1, rank - 2)
    let turned = add(
      "Transpose", [x.name], Shape(order.map { x.shape[$0] }), ["perm": .ints(order)])
    let factor = constant(Tensor(scalar: 1 / Float(x.shape[-1])))
    var shape = x.shape.dimensions
    shape[rank - 1] = shape[rank - 2]
    let product = add("MatMul", [x.name, turned.name], Shape(shape))
    add("Mul", [product.name, factor], Shape(shape))
  }

  private mutating func addSplit() {
    guard let x = value(where: { $0.rank >= 2 && $0[1] > 2 }) else { return }
    let first = 1 + random.index(below: x.shape[1] - 1)
    let lengths = [first, x.shape[1] - first]
    let shapes = lengths.map { length in
      var shape = x.shape.dimensions
      shape[1] = length
      return Shape(shape)
    }
    let split = constant(Tensor(lengths.map { Int64($0) }))
    addAll("Split", [x.name, split], shapes, ["axis": .int(1)])
  }

  private mutating func addMean() {
    guard let x = value(where: isImage) else { return }
    add("GlobalAveragePool", [x.name], [x.shape[0], x.shape[1], 1, 1])
  }

  /// The channels of two groups dealt out.
  private mutating func addShuffle() {
    guard let x = value(where: { $0.rank == 4 && $0[1] % 2 == 0 }) else { return }
    let (images, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let half = channels / 2
    func lengths(_ numbers: [Int]) -> Tensor { Tensor(numbers.map { Int64($0) }) }
    let split = add(
      "Reshape", [x.name, constant(lengths([-1, 2, half, height, width]))],
      [images, 2, half, height, width])
    let turned = add(
      "Transpose", [split.name], [images, half, 2, height, width],
      ["perm": .ints([0, 2, 1, 3, 4])])
    add(
      "Reshape", [turned.name, constant(lengths([-1, channels, height, width]))], x.shape)
  }

  /// Whole, or written out.
  private mutating func addNormalization() {
    guard let x = value(where: { $0.rank >= 2 }) else { return }
    let length = x.shape[-1]
    if chance(50) {
      let beta = chance(50) ? [numbers([length])] : []
      add(
        "LayerNormalization", [x.name, numbers([length])] + beta, x.shape, ["axis": .int(-1)])
      return
    }
    var narrow = x.shape.dimensions
    narrow[narrow.count - 1] = 1
    let axis = constant(Tensor([Int64(-1)]))
    let mean = add("ReduceMean", [x.name, axis], Shape(narrow))
    let centred = add("Sub", [x.name, mean.name], x.shape)
    let square =
      chance(50)
      ? add("Pow", [centred.name, constant(Tensor(scalar: Float(2)))], x.shape)
      : add("Mul", [centred.name, centred.name], x.shape)
    let variance = add("ReduceMean", [square.name, axis], Shape(narrow))
    let widened = add("Add", [variance.name, constant(Tensor(scalar: Float(0.1)))], Shape(narrow))
    let deviation = add("Sqrt", [widened.name], Shape(narrow))
    let normal = add("Div", [centred.name, deviation.name], x.shape)
    let scaled = add("Mul", [normal.name, numbers([length])], x.shape)
    add("Add", [scaled.name, numbers([length])], x.shape)
  }

  private mutating func addGelu() {
    guard let x = value() else { return }
    let scaled = add("Div", [x.name, constant(Tensor(scalar: Float(2).squareRoot()))], x.shape)
    let erf = add("Erf", [scaled.name], x.shape)
    let one = add("Add", [erf.name, constant(Tensor(scalar: Float(1)))], x.shape)
    let whole = add("Mul", chance(50) ? [x.name, one.name] : [one.name, x.name], x.shape)
    add("Mul", [whole.name, constant(Tensor(scalar: Float(0.5)))], x.shape)
  }

  /// Attention of a value with two heads to itself.
  private mutating func addHeads() {
    guard let x = value(where: { $0.rank == 3 && $0[2] % 2 == 0 && $0[1] < 60 }) else { return }
    let (batch, rows, width) = (x.shape[0], x.shape[1], x.shape[2])
    let half = width / 2
    func lengths(_ numbers: [Int]) -> Tensor { Tensor(numbers.map { Int64($0) }) }
    func head(_ order: [Int], _ network: inout BranchingNetwork) -> Value {
      let y = network.add(
        "MatMul", [x.name, network.weights([width, width], inputs: width, axis: 1)], x.shape)
      let shape = network.constant(lengths([-1, rows, 2, half]))
      let split = network.add("Reshape", [y.name, shape], [batch, rows, 2, half])
      let shapes = Shape(order.map { split.shape[$0] })
      return network.add("Transpose", [split.name], shapes, ["perm": .ints(order)])
    }
    let queries = head([0, 2, 1, 3], &self)
    let keys = head([0, 2, 3, 1], &self)
    let values = head([0, 2, 1, 3], &self)
    let factor = constant(Tensor(scalar: 1 / Float(half).squareRoot()))
    let scores = add("MatMul", [queries.name, keys.name], [batch, 2, rows, rows])
    let scaled = add("Mul", [scores.name, factor], scores.shape)
    let masked = add("Add", [scaled.name, numbers([1, 1, rows, rows])], scores.shape)
    let shares = add("Softmax", [masked.name], scores.shape, ["axis": .int(-1)])
    let mixed = add("MatMul", [shares.name, values.name], [batch, 2, rows, half])
    let turned = add(
      "Transpose", [mixed.name], [batch, rows, 2, half], ["perm": .ints([0, 2, 1, 3])])
    add("Reshape", [turned.name, constant(lengths([-1, rows, width]))], x.shape)
  }
}
