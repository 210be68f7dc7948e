import Graphs
import Tensors

/// The functions of the operators that look elements up by index.
let gatheringFunctions: [OperatorFunction] = [
  OperatorFunction(Gather.self, single: gather),
  OperatorFunction(GatherElements.self, single: gatherElements),
  OperatorFunction(GatherND.self, single: gatherND),
]

enum Gathering {
  /// The slices of `x` along an axis at the given indices, which must be in range, under `shape`.
  static func slices(
    of x: Tensor, axis: Int, at indices: [Int], _ shape: Shape, _ call: OperatorCall
  ) throws -> Tensor {
    let patterns = x.bitPatterns
    let outer = x.shape.count(in: 0..<axis)
    let inner = x.shape.count(in: (axis + 1)..<x.shape.rank)
    let row = x.shape[axis] * inner
    let starts = (0..<outer).lazy.flatMap { index in
      indices.lazy.map { index * row + $0 * inner }
    }
    return try runs(of: patterns, length: inner, at: Array(starts), shape, call)
      .asElements(of: x.elementType)
  }

  /// Runs of `length` elements of bit patterns, one behind the other.
  static func runs(
    of x: Tensor, length: Int, at starts: [Int], _ shape: Shape, _ call: OperatorCall
  ) throws -> Tensor {
    try withBitPatternType(
      x.elementType, Runs(x: x, length: length, starts: starts, shape: shape, call: call))
  }

  private struct Runs: NumericBody {
    let x: Tensor
    let length: Int
    let starts: [Int]
    let shape: Shape
    let call: OperatorCall

    /// Bytes are moved, wherever they lie: a table at an odd address of a mapped file would be copied as a whole.
    func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
      let size = MemoryLayout<Element>.stride
      return x.withUnsafeBytes { source in
        call.output(shape, of: Element.self) { target in
          guard let from = source.baseAddress, let to = target.baseAddress, shape.count > 0 else {
            return
          }
          starts.withUnsafeBufferPointer { starts in
            let perChunk = max(1, Elementwise.chunkLength / length)
            parallelFor((starts.count + perChunk - 1) / perChunk) { chunk in
              let range = chunk * perChunk..<min((chunk + 1) * perChunk, starts.count)
              let bytes = UnsafeMutableRawPointer(to)
              if length == 1 {
                for index in range {
                  (bytes + index * size).copyMemory(
                    from: from + starts[index] * size, byteCount: size)
                }
              } else {
                for index in range {
                  (bytes + index * length * size).copyMemory(
                    from: from + starts[index] * size, byteCount: length * size)
                }
              }
            }
          }
        }
      }
    }
  }

  /// For every element of `indices` the place in `data` that it means, where the index along `axis` is given and
  /// the others are the element's own.
  static func places(of indices: Tensor, in data: Shape, axis: Int) throws -> [Int] {
    let given = try indices.indices(below: data[axis])
    let shape = indices.shape
    let strides = data.strides
    var places = [Int](repeating: 0, count: given.count)
    let rowLength = shape.rank == 0 ? 1 : shape[-1]
    guard rowLength > 0 else { return [] }
    let isInnermost = axis == shape.rank - 1
    for row in 0..<given.count / rowLength {
      var base = 0
      var rest = row
      for other in (0..<shape.rank).dropLast().reversed() {
        if other != axis { base += rest % shape[other] * strides[other] }
        rest /= shape[other]
      }
      for column in 0..<rowLength {
        let index = row * rowLength + column
        places[index] = base + given[index] * strides[axis] + (isInnermost ? 0 : column)
      }
    }
    return places
  }

  /// For every tuple along the innermost axis of `indices` the place in `data` that it begins at.
  static func places(
    ofTuples indices: Tensor, in data: Shape, batchRank: Int
  ) throws -> [Int] {
    guard indices.elementType == .int64 else {
      throw ExecutionError(.invalidInput, "indices are \(indices); must be int64")
    }
    let tuple = indices.shape[-1]
    let values = indices.integers()
    let strides = data.strides
    let tupleCount = values.count / tuple
    let batches = max(data.count(in: 0..<batchRank), 1)
    let batchStride = data.count(in: batchRank..<data.rank)
    return try (0..<tupleCount).map { index in
      var place = index / max(tupleCount / batches, 1) * batchStride
      for position in 0..<tuple {
        let value = values[index * tuple + position]
        let length = data[batchRank + position]
        guard value >= -length, value < length else {
          throw ExecutionError(
            .invalidValue,
            "index \(value) in tuple \(index) is out of range; axis \(batchRank + position) has \(length) elements"
          )
        }
        place += (value < 0 ? value + length : value) * strides[batchRank + position]
      }
      return place
    }
  }
}

private func gather(_ op: Gather, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let axis = try ShapeRules.axis(op.axis, rank: x.shape.rank)
  let indices = try call.input(1).indices(below: x.shape[axis])
  return try Gathering.slices(of: x, axis: axis, at: indices, shape, call)
}

private func gatherElements(_ op: GatherElements, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let axis = try ShapeRules.axis(op.axis, rank: x.shape.rank)
  let places = try Gathering.places(of: try call.input(1), in: x.shape, axis: axis)
  return try Gathering.runs(of: x.bitPatterns, length: 1, at: places, shape, call)
    .asElements(of: x.elementType)
}

private func gatherND(_ op: GatherND, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let indices = try call.input(1)
  let places = try Gathering.places(ofTuples: indices, in: x.shape, batchRank: op.batchRank)
  let length = x.shape.count(in: (op.batchRank + indices.shape[-1])..<x.shape.rank)
  return try Gathering.runs(of: x.bitPatterns, length: length, at: places, shape, call)
    .asElements(of: x.elementType)
}
