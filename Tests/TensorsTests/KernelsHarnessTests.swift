import CKernels
import Foundation
import Testing

/// One table of kernels of this machine; the tests go through all of them.
struct Table: Sendable, CustomTestStringConvertible {
  let isa: tk_isa
  var kernels: tk_kernels { tk_table_for(isa)!.pointee }
  var pointer: UnsafePointer<tk_kernels> { tk_table_for(isa)! }
  var testDescription: String { String(cString: kernels.name) }

  static let all: [Table] = [TK_SCALAR, TK_AVX2, TK_AVXVNNI, TK_AVX512, TK_NEON]
    .filter { tk_table_for($0) != nil }.map { Table(isa: $0) }
}

/// Lengths around every vector width and its multiples.
let lengths = [
  0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 127, 128, 129, 255, 257, 1000,
]

/// SplitMix64: the same values in every run.
struct Random {
  var state: UInt64
  init(_ seed: Int = 1) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func uniform() -> Float {
    Float(Int(next() >> 40) - (1 << 23)) * 0x1p-23
  }
}

/// Memory that ends right before a page that must not be touched: reading or writing past the end,
/// or past a margin behind it, ends the test run.
final class Guarded<Element: BitwiseCopyable> {
  let pointer: UnsafeMutablePointer<Element>
  let count: Int
  private let base: UnsafeMutableRawPointer
  private let size: Int

  init(_ count: Int, margin: Int = 0) {
    let page = 4096
    let bytes = count * MemoryLayout<Element>.stride
    size = (bytes + margin + page - 1) / page * page + page
    base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    mprotect(base + (size - page), page, PROT_NONE)
    pointer = (base + (size - page - margin - bytes)).assumingMemoryBound(to: Element.self)
    self.count = count
    for i in 0..<margin { (base + (size - page - margin + i)).storeBytes(of: 0xA5, as: UInt8.self) }
  }

  convenience init(_ values: [Element], margin: Int = 0) {
    self.init(values.count, margin: margin)
    for (i, value) in values.enumerated() { pointer[i] = value }
  }

  deinit { munmap(base, size) }

  var array: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// 64-byte aligned memory for packed weights, guarded as well (its size is a multiple of 64 bytes).
typealias Packed = Guarded

/// Contents of an array of floats.
enum FloatFill: CaseIterable, CustomTestStringConvertible {
  case random, wide, ties, denormal, zero, special
  var testDescription: String { "\(self)" }

  static let finite: [FloatFill] = [.random, .wide, .ties, .denormal, .zero]

  func values(_ count: Int, seed: Int = 1) -> [Float] {
    var random = Random(seed)
    return (0..<count).map { _ in value(&random) }
  }

  private func value(_ random: inout Random) -> Float {
    switch self {
    case .random: return random.uniform()
    case .wide: return random.uniform() * Float(exponent: Int(random.next() % 60) - 30)
    case .ties: return Float(Int(random.next() % 601) - 300) / 2
    case .denormal: return random.uniform() * Float.leastNormalMagnitude
    case .zero: return random.next() % 2 == 0 ? 0 : -0.0
    case .special:
      let special: [Float] = [
        .nan, -.nan, .infinity, -.infinity, 0, -0.0, .greatestFiniteMagnitude,
        -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -1, 1e-30, 255.5, -128.5,
        .signalingNaN, 65504, 65520, 3e9, -3e9,
      ]
      let pick = random.next()
      return pick % 3 == 0 ? random.uniform() * 100 : special[Int(pick / 3 % UInt64(special.count))]
    }
  }
}

extension Float {
  fileprivate init(exponent: Int) { self = Float(sign: .plus, exponent: exponent, significand: 1) }

  /// Equal as values, or both NaN.
  func same(as other: Float) -> Bool { self == other || (isNaN && other.isNaN) }
}

/// Contents of an array of bytes.
enum ByteFill: CaseIterable, CustomTestStringConvertible {
  case random, allOnes, allZero, top, alternating
  var testDescription: String { "\(self)" }

  func values(_ count: Int, seed: Int = 1) -> [UInt8] {
    var random = Random(seed)
    return (0..<count).map { i in
      switch self {
      case .random: UInt8(truncatingIfNeeded: random.next())
      case .allOnes: 255
      case .allZero: 0
      case .top: 128
      case .alternating: i % 2 == 0 ? 255 : 127
      }
    }
  }

  /// As signed bytes: `top` is −128 throughout.
  func signed(_ count: Int, seed: Int = 1) -> [Int8] {
    values(count, seed: seed).map { Int8(bitPattern: $0) }
  }
}

/// `clamp(roundHalfEven(x) + zero, codes)` by the book, NaN to the lowest code.
func referenceCode(_ x: Float, _ zero: Int32, _ codes: ClosedRange<Int32>) -> Int32 {
  if x.isNaN { return codes.lowerBound }
  let code = Double(x).rounded(.toNearestOrEven) + Double(zero)
  return Int32(min(max(code, Double(codes.lowerBound)), Double(codes.upperBound)))
}

@Suite struct KernelsHarnessTests {
  @Test func scalarIsAlwaysThereAndTheBestIsChosen() {
    #expect(Table.all.first?.isa == TK_SCALAR)
    #expect(Table.all.contains { $0.isa == tk_current().pointee.isa })
    #expect(tk_table_for(tk_isa(rawValue: 77)) == nil)
  }
}
