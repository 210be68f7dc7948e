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
    let inputs = graph.givenInputs
    var arrays = arrays
    var labels: Tensor?
    if !inputs.contains(where: { $0.name == Self.labelsName }) {
      labels = arrays.removeValue(forKey: Self.labelsName)
    }
    try Self.checkNames(arrays, inputs)
    let isFedAlone =
      !inputs.isEmpty
      && inputs.allSatisfy { input in
        input.type.rank.map { arrays[input.name]!.shape.rank == $0 + 1 } ?? false
      }
    var counts: [Int] = []
    for input in inputs {
      try located(input.name) {
        counts.append(try Self.check(arrays[input.name]!, input, isFedAlone: isFedAlone))
        try Self.checkNumbers(of: arrays[input.name]!)
      }
    }
    guard let count = counts.first, counts.allSatisfy({ $0 == count }) else {
      let list = inputs.map { "'\($0.name)' \(arrays[$0.name]!)" }.joined(separator: ", ")
      throw DatasetError(
        .mismatch, "the arrays have different numbers of samples on their first axis: \(list)")
    }
    guard count > 0 else {
      throw DatasetError(.empty, "holds no samples; the first axis is the sample")
    }
    self.isFedAlone = isFedAlone
    self.arrays = arrays
    self.count = count
    self.labels = try Self.decode(labels, count: count)
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
  private static func checkNames(_ arrays: [String: Tensor], _ inputs: [Graph.Value]) throws {
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
    _ array: Tensor, _ input: Graph.Value, isFedAlone: Bool
  ) throws -> Int {
    if let type = input.type.elementType, type != array.elementType {
      throw DatasetError(
        .mismatch, "is \(array); the network takes \(type), convert the array to it")
    }
    guard array.shape.rank > 0 else {
      throw DatasetError(.mismatch, "is a scalar; the first axis must be the sample")
    }
    guard let dimensions = input.type.dimensions else { return array.shape[0] }
    // The first axis, where it is not the sample's own, is cut into batches of the network's length.
    let own = isFedAlone ? dimensions[...] : dimensions.dropFirst()
    let given = array.shape.dimensions.dropFirst()
    guard own.count == given.count,
      zip(own, given).allSatisfy({ $0.length == nil || $0.length == $1 })
    else {
      throw DatasetError(
        .mismatch, "is \(array); the network takes \(input.type), the first axis the sample")
    }
    return array.shape[0]
  }

  /// Refuses numbers of which no range and no figure could be told.
  private static func checkNumbers(of array: Tensor) throws {
    let found = array.nonFiniteNumbers()
    guard let first = found.first else { return }
    let index = array.index(ofElementAt: first)
    let name = found.nanCount > 0 ? found.infinityCount > 0 ? "NaN or infinity" : "NaN" : "infinity"
    throw DatasetError(
      .invalidFile,
      "\(name) in sample \(index[0]), at \(index) (\(found.summary) in all); numbers must be finite: "
        + "repair the file or whatever made it")
  }

  private static func decode(_ labels: Tensor?, count: Int) throws -> [Int]? {
    guard let labels else { return nil }
    guard labels.elementType.isInteger, labels.shape == [count] else {
      throw DatasetError(
        .mismatch, "is \(labels); expected int64[\(count)], one class number a sample",
        path: [labelsName])
    }
    return labels.integers()
  }

  static func batchLength(_ inputs: [Graph.Value]) -> Int? {
    inputs.compactMap { $0.type.dimensions?.first?.length }.first
  }
}

extension Graph {
  /// The inputs that the caller must give; older models list constants among their inputs.
  var givenInputs: [Value] { inputs.filter { constants[$0.name] == nil } }
}
