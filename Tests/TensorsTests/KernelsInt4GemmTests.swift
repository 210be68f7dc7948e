import CKernels
import Testing

/// A product with weights of 4 bits.
struct Int4Shape: CustomTestStringConvertible {
  var m: Int
  var n: Int
  var k: Int
  var group: Int
  /// The length of a block of rounded activations; 0 for floats.
  var block = 0
  var groups: Int { (k + group - 1) / group }
  var blocks: Int { block == 0 ? 0 : (k + block - 1) / block }
  var testDescription: String { "\(m)x\(n)x\(k) groups of \(group), blocks of \(block)" }

  static let all: [Int4Shape] = rowsAndColumns + depths + wholeColumns

  private static var rowsAndColumns: [Int4Shape] {
    [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13, 25].flatMap { m in
      [1, 15, 16, 17, 32, 33, 64, 100, 128, 160, 224].flatMap { n in
        [0, 32].map { Int4Shape(m: m, n: n, k: 100, group: 32, block: $0) }
      }
    }
  }

  private static var depths: [Int4Shape] {
    let sizes = [
      (16, 0), (16, 16), (32, 0), (32, 32), (64, 32), (128, 0), (128, 32), (128, 128),
    ]
    let lengths = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257, 1100]
    return lengths.flatMap { k in
      sizes.map { Int4Shape(m: 5, n: 40, k: k, group: $0.0, block: $0.1) }
    }
  }

  private static var wholeColumns: [Int4Shape] {
    [0, 8, 32, 256, 8192].flatMap { block in
      [1, 2, 7].map { m in
        let k = m == 1 ? 8200 : 1000
        return Int4Shape(m: m, n: 70 + 80 / m, k: k, group: (k + 7) / 8 * 8, block: block)
      }
    }
  }
}

/// What activations, codes, scales and zero points are filled with.
enum Int4Fill: CaseIterable {
  case random, greatest, least, cancelling, fractionalZeros, wide

  func activations(_ count: Int) -> [Float] {
    switch self {
    case .random, .fractionalZeros: FloatFill.random.values(count)
    case .greatest, .least: [Float](repeating: self == .least ? -3 : 3, count: count)
    case .cancelling: (0..<count).map { $0 % 2 == 0 ? 1 : -1 }
    case .wide: FloatFill.wide.values(count)
    }
  }

  func codes(_ count: Int) -> [UInt8] {
    var random = Random(7)
    return (0..<count).map { _ in
      switch self {
      case .greatest, .least: 15
      default: UInt8(random.next() & 15)
      }
    }
  }

  func scales(_ count: Int) -> [Float] { FloatFill.random.values(count, seed: 3) }

  func zeros(_ count: Int) -> [Float] {
    var random = Random(11)
    return (0..<count).map { _ in
      switch self {
      case .greatest: 0
      case .least: 15
      case .fractionalZeros: random.uniform() * 20
      default: Float(random.next() & 15)
      }
    }
  }
}

@Suite struct KernelsInt4GemmTests {
  /// The operands of one product, with results by the book.
  private struct Operands {
    let shape: Int4Shape
    let a: Guarded<Float>
    let lda: Int
    let codes: [UInt8]
    let scales: [Float]
    let zeros: [Float]?
    let bias: Guarded<Float>
    let roundedCodes: Guarded<Int8>
    let roundedScales: Guarded<Float>
    let roundedStarts: Guarded<Int32>

    init(_ shape: Int4Shape, _ fill: Int4Fill, hasZeros: Bool) {
      self.shape = shape
      lda = shape.k + (shape.m % 2 == 0 ? 0 : 3)
      a = Guarded(fill.activations(max(shape.m * lda - (lda - shape.k), 0)))
      codes = fill.codes(shape.n * shape.k)
      scales = fill.scales(shape.n * shape.groups)
      zeros = hasZeros ? fill.zeros(shape.n * shape.groups) : nil
      bias = Guarded(FloatFill.random.values(shape.n, seed: 5))
      roundedCodes = Guarded(shape.m * tk_q4_code_stride(shape.k))
      roundedScales = Guarded(shape.m * shape.blocks)
      roundedStarts = Guarded(shape.m * shape.blocks)
    }

    func packed(by table: Table, transposed: Bool) -> Packed<UInt8> {
      let (k, n) = (shape.k, shape.n)
      let result = Packed<UInt8>(tk_q4_packed_count(k, n, shape.group, zeros != nil))
      let source =
        transposed ? codes : (0..<k).flatMap { i in (0..<n).map { codes[$0 * k + i] } }
      let guarded = Guarded(source)
      let zeros = zeros.map { Guarded($0) }
      table.kernels.q4_pack(
        guarded.pointer, scales, zeros.map { UnsafePointer($0.pointer) }, k, n, transposed ? k : n,
        shape.group, transposed, result.pointer)
      return result
    }

    func product(_ b: Packed<UInt8>, _ c: Guarded<Float>, ldc: Int) -> tk_q4_gemm {
      tk_q4_gemm(
        m: shape.m, n: shape.n, k: shape.k, group: shape.group, has_zeros: zeros != nil,
        a: a.pointer, lda: lda, b: b.pointer, block: shape.block, codes: roundedCodes.pointer,
        code_scales: roundedScales.pointer, code_starts: roundedStarts.pointer,
        bias: shape.n % 2 == 0 ? UnsafePointer(bias.pointer) : nil, lo: -40, hi: .infinity,
        c: c.pointer, ldc: ldc)
    }

    private func biasOf(_ column: Int) -> Float { shape.n % 2 == 0 ? bias.pointer[column] : 0 }

    private func code(_ i: Int, _ column: Int) -> Int { Int(codes[column * shape.k + i]) }

    /// The exact element and how far from it a float sum may be.
    func expectedOfFloats(_ row: Int, _ column: Int) -> (value: Double, bound: Double) {
      let bias = Double(biasOf(column))
      var (sum, magnitudes) = (bias, abs(bias))
      for i in 0..<shape.k {
        let group = column * shape.groups + i / shape.group
        let (scale, zero) = (Double(scales[group]), Double(zeros?[group] ?? 8))
        let term = Double(a.pointer[row * lda + i]) * scale * (Double(code(i, column)) - zero)
        sum += term
        magnitudes += abs(term)
      }
      return (max(sum, -40), magnitudes * Double(shape.k + 4) * 0x1p-23)
    }

    /// The element as the contract says, each step rounded as it says.
    func expectedOfCodes(_ row: Int, _ column: Int) -> Float {
      var result: Float = 0
      for block in 0..<shape.blocks {
        let elements = block * shape.block..<min((block + 1) * shape.block, shape.k)
        let numbers = elements.map { a.pointer[row * lda + $0] }
        let step = numbers.map(\.magnitude).max()! / 127
        let rounded = numbers.map { step > 0 ? Int(($0 / step).rounded(.toNearestOrEven)) : 0 }
        let group = column * shape.groups + elements.lowerBound / shape.group
        let products = zip(elements, rounded).reduce(0) { $0 + $1.1 * code($1.0, column) }
        let total = Float(rounded.reduce(0, +))
        let exact = Float(products).addingProduct(-(zeros?[group] ?? 8), total)
        result.addProduct(step * scales[group], exact)
      }
      return max(result + biasOf(column), -40)
    }
  }

  @Test(arguments: Table.all, Int4Shape.all)
  func multiplies(_ table: Table, _ shape: Int4Shape) {
    for (round, fill) in Int4Fill.allCases.enumerated() {
      for hasZeros in [false, true] {
        let operands = Operands(shape, fill, hasZeros: hasZeros)
        let b = operands.packed(by: table, transposed: round % 2 == 0)
        let ldc = shape.n + round
        let c = Guarded([Float](repeating: 77, count: max(shape.m * ldc - round, 0)))
        var g = operands.product(b, c, ldc: ldc)
        tk_run_q4_gemm(table.pointer, &g)
        for row in 0..<shape.m {
          for column in 0..<shape.n {
            let got = c.pointer[row * ldc + column]
            if shape.block > 0 {
              let expected = operands.expectedOfCodes(row, column)
              guard got != expected else { continue }
              Issue.record("[\(row), \(column)]: \(got), not \(expected), \(fill) \(hasZeros)")
            } else {
              let expected = operands.expectedOfFloats(row, column)
              guard abs(Double(got) - expected.value) > expected.bound else { continue }
              Issue.record("[\(row), \(column)]: \(got), not \(expected), \(fill) \(hasZeros)")
            }
            return
          }
          for column in shape.n..<ldc where row + 1 < shape.m {
            #expect(c.pointer[row * ldc + column] == 77)
          }
        }
      }
    }
  }

  @Test(arguments: Table.all, [0, 32]) func anyNumberOfThreadsGivesTheSame(
    _ table: Table, _ block: Int
  ) {
    for m in [1, 2, 61] {
      let shape = Int4Shape(m: m, n: 330, k: 400, group: 32, block: block)
      let operands = Operands(shape, .random, hasZeros: true)
      let b = operands.packed(by: table, transposed: true)
      let results = [1, 2, 3, 8].map { threads in
        let c = Guarded<Float>(shape.m * shape.n)
        var g = operands.product(b, c, ldc: shape.n)
        withThreads(threads) { tk_run_q4_gemm(table.pointer, &g) }
        return c.array
      }
      for result in results { #expect(result == results[0]) }
    }
  }

  /// A row comes out the same alone and among others.
  @Test(arguments: Table.all, [0, 32]) func anyNumberOfRowsGivesTheSame(
    _ table: Table, _ block: Int
  ) {
    let shape = Int4Shape(m: 23, n: 200, k: 200, group: 64, block: block)
    let operands = Operands(shape, .random, hasZeros: false)
    let b = operands.packed(by: table, transposed: true)
    let all = Guarded<Float>(shape.m * shape.n)
    var g = operands.product(b, all, ldc: shape.n)
    tk_run_q4_gemm(table.pointer, &g)
    for count in 1...12 {
      let some = Guarded<Float>(shape.m * shape.n)
      g.m = count
      g.c = some.pointer
      tk_run_q4_gemm(table.pointer, &g)
      #expect(some.array[..<(count * shape.n)] == all.array[..<(count * shape.n)])
    }
  }

  @Test(arguments: Table.all) func roundsActivations(_ table: Table) {
    let rows: [[Float]] = [
      [127, -127, 2.5, 3.5, -2.5, 0, 0.4, 126.5], [Float](repeating: 0, count: 8),
      [1, .nan, 3, 4, 5, 6, 7, 8], [1, -.infinity, 0, 0, 0, 0, 0, 0],
      // A magnitude so small that its scale cannot be told exactly.
      [190 * .leastNonzeroMagnitude, -190 * .leastNonzeroMagnitude, 0, 0, 0, 0, 0, 0], [-3, 1],
    ]
    let x = Guarded(rows.flatMap { $0 })
    let codes = Guarded<Int8>(48)
    let scales = Guarded<Float>(6)
    let starts = Guarded<Int32>(6)
    table.kernels.q8_quantize(x.pointer, 42, 8, codes.pointer, scales.pointer, starts.pointer)
    #expect(Array(codes.array[..<8]) == [127, -127, 2, 4, -2, 0, 0, 126])
    #expect(codes.array[8..<32].allSatisfy { $0 == 0 })
    #expect(Array(codes.array[32..<34]) == [127, -127])
    #expect(Array(codes.array[40...]) == [-127, 42, 0, 0, 0, 0, 0, 0])
    #expect(scales.array[0] == 1 && scales.array[1] == 0 && scales.array[2].isNaN)
    #expect(scales.array[3] == .infinity && scales.array[4] == .leastNonzeroMagnitude)
    #expect(starts.array == [-8 * 130, 0, 0, 0, 0, 8 * 85])
  }

  /// Every table rounds as the scalar one does, whatever the length.
  @Test(arguments: Table.all, FloatFill.allCases)
  func roundsAsScalar(_ table: Table, _ fill: FloatFill) {
    for length in lengths {
      for block in [8, 32, 256] {
        let x = Guarded(fill.values(length, seed: length))
        let count = (length + 7) / 8 * 8
        let blocks = (length + block - 1) / block
        let results = [table, Table(isa: TK_SCALAR)].map { table in
          let (codes, scales) = (Guarded<Int8>(count), Guarded<Float>(blocks))
          let starts = Guarded<Int32>(blocks)
          table.kernels.q8_quantize(
            x.pointer, length, block, codes.pointer, scales.pointer, starts.pointer)
          return (codes.array, scales.array, starts.array)
        }
        #expect(results[0].0 == results[1].0 && results[0].2 == results[1].2)
        #expect(zip(results[0].1, results[1].1).allSatisfy { $0.same(as: $1) })
      }
    }
  }
}
