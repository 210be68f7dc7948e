import Tensors

/// Products of dense float32 matrices through the kernels.
enum MatrixProduct {
  /// A second operand, or a first one, as it lies in memory.
  struct Operand {
    var elements: UnsafePointer<Float>
    /// Whether its rows and columns are swapped.
    var isTransposed = false
  }

  /// The number of rows up to which packing the second operand costs more than it saves.
  private static let fewRows = 4

  /// `y[m, n] = a[m, k] · b[k, n]`, on all threads. All matrices are dense.
  static func multiply(
    _ a: Operand, _ b: Operand, rows m: Int, inner k: Int, columns n: Int,
    bias: UnsafePointer<Float>? = nil, into y: UnsafeMutablePointer<Float>
  ) {
    guard m > 0, n > 0 else { return }
    if a.isTransposed, m > 1, k > 1 {
      return withScratch(m * k) { rows in
        Kernels.transpose(
          a.elements, rows: k, columns: m, stride: m, into: rows, stride: k, elementSize: 4)
        let operand = Operand(elements: rows)
        multiply(operand, b, rows: m, inner: k, columns: n, bias: bias, into: y)
      }
    }
    if m <= fewRows, b.isTransposed {
      return dots(a.elements, b.elements, m, k, n, bias, y)
    }
    let packed = PackedFloatMatrix(
      b.elements, rows: k, columns: n, stride: b.isTransposed ? k : n,
      transposed: b.isTransposed)
    Kernels.multiply(
      .dense(a.elements, stride: k), rows: m, packed, epilogue: .init(bias: bias), into: y,
      stride: n)
  }

  /// The product as dots of rows with rows.
  private static func dots(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ m: Int, _ k: Int, _ n: Int,
    _ bias: UnsafePointer<Float>?, _ y: UnsafeMutablePointer<Float>
  ) {
    let perChunk = max(Elementwise.chunkLength / max(k, 1), 1)
    parallelFor((n + perChunk - 1) / perChunk) { chunk in
      for column in (chunk * perChunk)..<min((chunk + 1) * perChunk, n) {
        for row in 0..<m {
          let sum = Float(Kernels.dot(a + row * k, b + column * k, count: k))
          y[row * n + column] = sum + (bias?[column] ?? 0)
        }
      }
    }
  }

  /// Memory for `count` floats during `body`.
  static func withScratch<Result>(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
    defer { memory.deallocate() }
    return try body(memory)
  }

  /// `y[m, n] = a[m, k] · b[k, n]` of any type of number, on all threads; slow.
  static func multiply<Element: NumericElement>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, rows m: Int, inner k: Int,
    columns n: Int, transposed: (a: Bool, b: Bool), into y: UnsafeMutablePointer<Element>
  ) {
    let aStrides = transposed.a ? (1, m) : (k, 1)
    parallelFor(m) { row in
      let result = y + row * n
      for column in 0..<n { result[column] = 0 }
      for i in 0..<k {
        let factor = a[row * aStrides.0 + i * aStrides.1]
        if transposed.b {
          for j in 0..<n { result[j] = result[j].adding(factor.multiplying(b[j * k + i])) }
        } else {
          let other = b + i * n
          for j in 0..<n { result[j] = result[j].adding(factor.multiplying(other[j])) }
        }
      }
    }
  }
}
