import Tensors

/// Loops over the elements of one, two or three operands that are broadcast together.
///
/// `row` bodies get plain pointers, so that each call site compiles to one concrete loop; they run on several threads.
enum Elementwise {
  /// Computes `count` elements from two operands whose neighbours are `aStep` and `bStep` (0 or 1) apart.
  typealias BinaryRow<A, B, Result> = (
    _ a: UnsafePointer<A>, _ aStep: Int, _ b: UnsafePointer<B>, _ bStep: Int,
    _ result: UnsafeMutablePointer<Result>, _ count: Int
  ) -> Void

  /// The elements that one index of a parallel region works on.
  static let chunkLength = 1 << 14

  /// `f(x)` of each element, a row of neighbours at a time.
  static func map<A: TensorElement, Result: TensorElement>(
    _ x: Tensor, _ call: OperatorCall, _: A.Type, _: Result.Type,
    _ row: (UnsafePointer<A>, UnsafeMutablePointer<Result>, Int) -> Void
  ) -> Tensor {
    x.withElements(of: A.self) { source in
      call.output(x.shape, of: Result.self) { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        forEachChunk(source.count) { row(from + $0.lowerBound, to + $0.lowerBound, $0.count) }
      }
    }
  }

  /// `f(a, b)` of each pair of elements. Throws ``ExecutionError`` where the shapes can't be broadcast together, or
  /// the result would be absurdly large.
  static func combine<A: TensorElement, B: TensorElement, Result: TensorElement>(
    _ a: Tensor, _ b: Tensor, _ call: OperatorCall, _: A.Type, _: B.Type, _: Result.Type,
    _ row: BinaryRow<A, B, Result>
  ) throws -> Tensor {
    let pairs = try Broadcast([a.shape, b.shape])
    try OperatorCall.check(pairs.shape, Result.elementType)
    let (aStep, bStep) = (pairs.steps[0], pairs.steps[1])
    return a.withElements(of: A.self) { a in
      b.withElements(of: B.self) { b in
        call.output(pairs.shape, of: Result.self) { target in
          guard let a = a.baseAddress, let b = b.baseAddress, let y = target.baseAddress else {
            return
          }
          pairs.forEachRun { start, count, offsets in
            row(a + offsets[0], aStep, b + offsets[1], bStep, y + start, count)
          }
        }
      }
    }
  }

  /// A row body that applies `f` to each pair.
  @inline(__always)
  static func row<A, B, Result>(
    _ a: UnsafePointer<A>, _ aStep: Int, _ b: UnsafePointer<B>, _ bStep: Int,
    _ result: UnsafeMutablePointer<Result>, _ count: Int, _ f: (A, B) -> Result
  ) {
    if aStep == 1, bStep == 1 {
      for i in 0..<count { result[i] = f(a[i], b[i]) }
    } else if aStep == 1 {
      let constant = b[0]
      for i in 0..<count { result[i] = f(a[i], constant) }
    } else if bStep == 1 {
      let constant = a[0]
      for i in 0..<count { result[i] = f(constant, b[i]) }
    } else {
      let constant = f(a[0], b[0])
      for i in 0..<count { result[i] = constant }
    }
  }

  /// Calls `body` for neighbouring parts of `0..<count`, on several threads.
  static func forEachChunk(_ count: Int, _ body: (Range<Int>) -> Void) {
    if count <= chunkLength { return count > 0 ? body(0..<count) : () }
    parallelFor((count + chunkLength - 1) / chunkLength) { chunk in
      let start = chunk * chunkLength
      body(start..<min(start + chunkLength, count))
    }
  }
}

/// The elements of a tensor of Booleans as bytes, 0 for false and anything else for true.
func booleanBytes(_ tensor: Tensor) throws -> Tensor {
  guard tensor.elementType == .bool else {
    throw ExecutionError(.invalidInput, "an input is \(tensor); must be bool")
  }
  return tensor.reinterpreted(as: .uint8)
}

/// The one element type of the operands. Throws ``ExecutionError`` where they differ.
func commonElementType(_ operands: Tensor...) throws -> ElementType {
  let type = operands[0].elementType
  if let other = operands.first(where: { $0.elementType != type }) {
    throw ExecutionError(
      .invalidInput,
      "inputs are \(type) and \(other.elementType); must be of one element type, so put a Cast before one"
    )
  }
  return type
}
