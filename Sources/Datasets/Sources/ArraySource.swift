import Graphs
import Tensors

/// Samples that lie in arrays, one per input of the network, first axis the sample.
struct ArraySource: DatasetSource {
  let count: Int
  let labels: [Int]?
  let classNames: [String]? = nil
  let title: String
  let conversion: String
  let assumesPreprocessing = false
  let batchLength: Int?
  private let arrays: [String: Tensor]
  /// Whether the network's inputs have no axis for the sample, so that each is fed alone.
  private let isFedAlone: Bool

  /// The name of the array that holds the class of each sample.
  static let labelsName = "labels"

  /// Checks arrays against a network's inputs. Throws ``DatasetError``.
  init(_ arrays: [String: Tensor], for graph: Graph) throws {
    let types = arrays.mapValues { ValueType($0.elementType, $0.shape) }
    (count, isFedAlone) = try Self.check(types, graph)
    let inputs = graph.givenInputs
    for input in inputs {
      try located(input.name) { try arrays[input.name]!.refuseNaN() }
    }
    var arrays = arrays
    labels =
      Self.holdsLabels(graph) ? arrays.removeValue(forKey: Self.labelsName)?.integers() : nil
    self.arrays = arrays
    batchLength = isFedAlone ? 1 : Self.batchLength(inputs)
    title = counted(count, "sample") + (labels == nil ? "" : " with labels")
    conversion =
      "used as they are: "
      + inputs.map { "\($0.name) \(arrays[$0.name]!)" }.joined(separator: ", ")
  }

  func batch(_ indices: [Int]) throws -> [String: Tensor] {
    precondition(!isFedAlone || indices.count == 1, "this network takes one sample at a time")
    return arrays.mapValues { array in
      let rows = Self.rows(of: array, indices)
      guard isFedAlone else { return rows }
      return rows.reshaped(to: Shape(Array(rows.shape.dimensions.dropFirst())))
    }
  }

  private static func rows(of array: Tensor, _ indices: [Int]) -> Tensor {
    let first = indices[0]
    if zip(indices, first...).allSatisfy({ $0 == $1 }) {
      return array.rows(first..<first + indices.count)
    }
    let shape = Shape([indices.count] + array.shape.dimensions.dropFirst())
    let rowByteCount = array.byteCount / array.shape[0]
    return Tensor(shape, array.elementType) { target in
      array.withUnsafeBytes { source in
        for (place, index) in indices.enumerated() {
          let row = source.part(index * rowByteCount..<(index + 1) * rowByteCount)
          UnsafeMutableRawBufferPointer(rebasing: target[(place * rowByteCount)...])
            .copyMemory(from: row)
        }
      }
    }
  }
}

// MARK: - Checks

extension ArraySource {
  /// Checks what is known of arrays before their elements against a network's inputs: the number of samples, and whether the
  /// network's inputs have no axis for the sample. Throws ``DatasetError``.
  @discardableResult
  static func check(
    _ types: [String: ValueType], _ graph: Graph
  ) throws -> (count: Int, isFedAlone: Bool) {
    let inputs = graph.givenInputs
    var types = types
    let labels = holdsLabels(graph) ? types.removeValue(forKey: labelsName) : nil
    try checkNames(types, inputs)
    let isFedAlone =
      !inputs.isEmpty
      && inputs.allSatisfy { input in
        input.type.rank.map { types[input.name]!.rank == $0 + 1 } ?? false
      }
    let counts = try inputs.map { input in
      try located(input.name) { try check(types[input.name]!, input, isFedAlone: isFedAlone) }
    }
    guard let count = counts.first, counts.allSatisfy({ $0 == count }) else {
      let list = inputs.map { "'\($0.name)' \(types[$0.name]!)" }.joined(separator: ", ")
      throw DatasetError(
        .mismatch, "the arrays have different numbers of samples on their first axis: \(list)")
    }
    guard count > 0 else {
      throw DatasetError(.empty, "holds no samples; the first axis is the sample")
    }
    if let labels { try check(labels: labels, count: count) }
    return (count, isFedAlone)
  }

  /// Whether an array named ``labelsName`` holds classes, and is no input.
  private static func holdsLabels(_ graph: Graph) -> Bool {
    !graph.givenInputs.contains { $0.name == labelsName }
  }

  private static func checkNames(_ arrays: [String: ValueType], _ inputs: [Graph.Value]) throws {
    let known = inputs.map(\.name)
    let missing = known.filter { arrays[$0] == nil }
    let unknown = arrays.keys.filter { !known.contains($0) }.sorted()
    guard missing.isEmpty, unknown.isEmpty else {
      func list(_ names: [String]) -> String {
        names.map { "'\($0)'" }.joined(separator: ", ")
      }
      var found: [String] = []
      if !missing.isEmpty { found.append("lacks \(list(missing))") }
      if !unknown.isEmpty { found.append("has \(list(unknown)), which the network does not know") }
      throw DatasetError(
        .mismatch,
        found.joined(separator: " and ")
          + "; expected one array for each of the inputs \(list(known)), and 'labels' if you like")
    }
  }

  /// The number of samples in one array.
  private static func check(
    _ array: ValueType, _ input: Graph.Value, isFedAlone: Bool
  ) throws -> Int {
    let lengths = array.dimensions?.compactMap(\.length) ?? []
    if let type = input.type.elementType, type != array.elementType {
      throw DatasetError(
        .mismatch, "is \(array); the network takes \(type), convert the array to it")
    }
    guard let count = lengths.first else {
      throw DatasetError(.mismatch, "is a scalar; the first axis must be the sample")
    }
    guard let dimensions = input.type.dimensions else { return count }
    // The first axis, where it is not the sample's own, is cut into batches of the network's length.
    let own = isFedAlone ? dimensions[...] : dimensions.dropFirst()
    let given = lengths.dropFirst()
    guard own.count == given.count,
      zip(own, given).allSatisfy({ $0.length == nil || $0.length == $1 })
    else {
      throw DatasetError(
        .mismatch, "is \(array); the network takes \(input.type), the first axis the sample")
    }
    return count
  }

  private static func check(labels: ValueType, count: Int) throws {
    guard labels.elementType?.isInteger ?? false, labels.shape == [count] else {
      throw DatasetError(
        .mismatch, "is \(labels); expected int64[\(count)], one class number a sample",
        path: [labelsName])
    }
  }

  static func batchLength(_ inputs: [Graph.Value]) -> Int? {
    inputs.compactMap { $0.type.dimensions?.first?.length }.first
  }
}

extension Graph {
  /// The inputs that the caller must give; older models list constants among their inputs.
  var givenInputs: [Value] { inputs.filter { constants[$0.name] == nil } }
}
