import Graphs
import Tensors

/// The functions of the matrix products.
let matrixProductFunctions: [OperatorFunction] = [
  OperatorFunction(Gemm.self, single: gemm),
  OperatorFunction(
    FusedGemm.self,
    single: { op, call in try op.activation.values(at: gemm(op.gemm, call), call) }),
  OperatorFunction(
    MatMul.self,
    single: { op, call in
      let shape = try call.outputShape(of: op)
      return try product(call, shape, transposesA: false, transposesB: false)
    }),
  OperatorFunction(
    FusedMatMul.self,
    single: { op, call in
      let shape = try call.outputShape(of: op)
      let result = try product(
        call, shape, transposesA: op.transposesA, transposesB: op.transposesB)
      return try scaled(result, by: op.alpha, call)
    }),
  OperatorFunction(MatMulInteger.self, single: integerProduct),
]

// MARK: - Gemm

private func gemm(_ op: Gemm, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let (a, b) = (try call.input(0), try call.input(1))
  let c = call[2]
  let inner = a.shape[op.transposesA ? 0 : 1]
  if a.elementType == .float32, op.alpha == 1, op.beta == 1, let c, c.shape == [shape[1]] {
    // The usual fully connected layer: the bias is added on the way.
    return a.withElements(of: Float.self) { a in
      b.withElements(of: Float.self) { b in
        c.withElements(of: Float.self) { bias in
          call.output(shape, of: Float.self) { y in
            MatrixProduct.multiply(
              .init(elements: a.baseAddress!, isTransposed: op.transposesA),
              .init(elements: b.baseAddress!, isTransposed: op.transposesB),
              rows: shape[0], inner: inner, columns: shape[1], bias: bias.baseAddress,
              into: y.baseAddress!)
          }
        }
      }
    }
  }
  var result = try product(
    call, shape, transposesA: op.transposesA, transposesB: op.transposesB)
  result = try scaled(result, by: op.alpha, call)
  guard let c, op.beta != 0 else { return result }
  return try Arithmetic.apply(Add.self, result, try scaled(c, by: op.beta, call), call)
}

private struct ScaleBody: NumericBody {
  let x: Tensor
  let factor: Float
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    let factor = Double(factor)
    return Elementwise.map(x, call, Element.self, Element.self) { x, y, count in
      for i in 0..<count { y[i] = Element.rounding(x[i].double * factor) }
    }
  }
}

private func scaled(_ x: Tensor, by factor: Float, _ call: OperatorCall) throws -> Tensor {
  if factor == 1 { return x }
  if x.elementType == .float32 {
    return try Arithmetic.apply(Mul.self, x, Tensor(scalar: factor), call)
  }
  return try withNumericType(x.elementType, ScaleBody(x: x, factor: factor, call: call))
}

// MARK: - Products of stacks of matrices

/// How two stacks of matrices are multiplied.
struct StackedProduct {
  /// The number of rows, of terms and of columns of each product.
  let m, k, n: Int
  /// Where the matrices of each product begin in either operand, in elements.
  let aStarts, bStarts: [Int]

  init(_ a: Shape, _ b: Shape, transposesA: Bool, transposesB: Bool) throws {
    let aRows = a.rank == 1 ? [1, a[0]] : a.dimensions
    let bRows = b.rank == 1 ? [b[0], 1] : b.dimensions
    let aMatrix = Array(aRows.suffix(2))
    let bMatrix = Array(bRows.suffix(2))
    let swapsA = transposesA && a.rank > 1
    m = aMatrix[swapsA ? 1 : 0]
    k = aMatrix[swapsA ? 0 : 1]
    n = bMatrix[transposesB && b.rank > 1 ? 0 : 1]
    var aStacks = Array(aRows.dropLast(2))
    let bStacks = Array(bRows.dropLast(2))
    if bStacks.allSatisfy({ $0 == 1 }), !swapsA, bStacks.count <= aStacks.count {
      // One second operand for all: the stack is one tall matrix.
      tall = aStacks.reduce(1, *)
      aStacks = []
    } else {
      tall = 1
    }
    let stacks = try Broadcast([Shape(aStacks), Shape(tall > 1 ? [] : bStacks)])
    var starts: ([Int], [Int]) = ([], [])
    stacks.forEachRun(in: 0..<stacks.shape.count) { _, count, offsets in
      for i in 0..<count {
        starts.0.append(offsets[0] + i * stacks.steps[0])
        starts.1.append(offsets[1] + i * stacks.steps[1])
      }
    }
    let sizes = (m * k, k * n)
    aStarts = starts.0.map { $0 * sizes.0 }
    bStarts = starts.1.map { $0 * sizes.1 }
  }

  private let tall: Int

  /// The number of rows of each product, where stacked ones are taken together.
  var rows: Int { m * tall }
}

private struct ProductBody: NumericBody {
  let call: OperatorCall
  let shape: Shape
  let a, b: Tensor
  let stacks: StackedProduct
  let transposed: (a: Bool, b: Bool)

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    a.withElements(of: Element.self) { a in
      b.withElements(of: Element.self) { b in
        call.output(shape, of: Element.self) { y in
          for index in stacks.aStarts.indices {
            MatrixProduct.multiply(
              a.baseAddress! + stacks.aStarts[index], b.baseAddress! + stacks.bStarts[index],
              rows: stacks.rows, inner: stacks.k, columns: stacks.n, transposed: transposed,
              into: y.baseAddress! + index * stacks.rows * stacks.n)
          }
        }
      }
    }
  }
}

private func product(
  _ call: OperatorCall, _ shape: Shape, transposesA: Bool, transposesB: Bool
) throws -> Tensor {
  let (a, b) = (try call.input(0), try call.input(1))
  let type = try commonElementType(a, b)
  if shape.count == 0 { return Tensor.zeros(shape, type) }
  let stacks = try StackedProduct(
    a.shape, b.shape, transposesA: transposesA, transposesB: transposesB)
  let transposed = (a: transposesA && a.shape.rank > 1, b: transposesB && b.shape.rank > 1)
  guard type == .float32 else {
    return try withNumericType(
      type,
      ProductBody(
        call: call, shape: shape, a: a, b: b, stacks: stacks, transposed: transposed))
  }
  return a.withElements(of: Float.self) { a in
    b.withElements(of: Float.self) { b in
      call.output(shape, of: Float.self) { y in
        guard let a = a.baseAddress, let b = b.baseAddress, let y = y.baseAddress else { return }
        // One product uses all threads by itself; several are shared out.
        parallelFor(stacks.aStarts.count) { index in
          MatrixProduct.multiply(
            .init(elements: a + stacks.aStarts[index], isTransposed: transposed.a),
            .init(elements: b + stacks.bStarts[index], isTransposed: transposed.b),
            rows: stacks.rows, inner: stacks.k, columns: stacks.n,
            into: y + index * stacks.rows * stacks.n)
        }
      }
    }
  }
}

// MARK: - Products of codes

/// Sums of products of codes less their zero points: exact, and modulo 2³² beyond 33,000 terms.
private func integerProduct(_ op: MatMulInteger, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let (a, b) = (try call.input(0), try call.input(1))
  let left = try centeredCodes(a, call[2], axis: a.shape.rank > 1 ? -2 : -1, call)
  let right = try centeredCodes(b, call[3], axis: -1, call)
  if shape.count == 0 { return Tensor.zeros(shape, .int32) }
  let stacks = try StackedProduct(a.shape, b.shape, transposesA: false, transposesB: false)
  return try ProductBody(
    call: call, shape: shape, a: left, b: right, stacks: stacks, transposed: (false, false)
  ).run(Int32.self)
}
