/// How many elements of a tensor are no finite numbers.
public struct NonFiniteNumbers: Sendable, Equatable {
  /// How many are NaN.
  public var nanCount = 0
  /// How many are infinite.
  public var infinityCount = 0
  /// The offset of the first of them in row-major order; nil where there is none.
  public var first: Int?
  /// The offset of the first NaN in row-major order; nil where there is none.
  public var firstNaN: Int?

  /// All are finite, or those counted are not.
  public init(
    nanCount: Int = 0, infinityCount: Int = 0, first: Int? = nil, firstNaN: Int? = nil
  ) {
    (self.nanCount, self.infinityCount) = (nanCount, infinityCount)
    (self.first, self.firstNaN) = (first, firstNaN)
  }

  /// As in `3 NaN, 1 infinite`; empty where all are finite.
  public var summary: String {
    let counts = [(nanCount, "NaN"), (infinityCount, "infinite")]
    return counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }
}

extension Tensor {
  /// Counts NaN and infinities among float64, float32, float16 and bfloat16 elements; none in other types.
  ///
  /// The memory of a mapped tensor is given back to the system. Complexity: O(n).
  public func nonFiniteNumbers() -> NonFiniteNumbers {
    defer { releaseMappedMemory() }
    return withUnsafeBytes { bytes in
      switch elementType {
      case .float64: countNonFinite(bytes, as: UInt64.self, exponent: 0x7FF0_0000_0000_0000)
      case .float32: countNonFinite(bytes, as: UInt32.self, exponent: 0x7F80_0000)
      case .float16: countNonFinite(bytes, as: UInt16.self, exponent: 0x7C00)
      case .bfloat16: countNonFinite(bytes, as: UInt16.self, exponent: 0x7F80)
      default: NonFiniteNumbers()
      }
    }
  }

  /// The index along each axis of the element at an offset in row-major order.
  package func index(ofElementAt offset: Int) -> [Int] {
    var rest = offset
    return shape.strides.map { stride in
      defer { rest %= stride }
      return rest / stride
    }
  }
}

/// Numbers whose exponent is all ones are infinite where the fraction is zero, else NaN (IEEE 754).
private func countNonFinite<Word: FixedWidthInteger & UnsignedInteger>(
  _ bytes: UnsafeRawBufferPointer, as: Word.Type, exponent: Word
) -> NonFiniteNumbers {
  var found = NonFiniteNumbers()
  let width = MemoryLayout<Word>.size
  let magnitude = Word.max >> 1
  for offset in 0..<bytes.count / width {
    let word = bytes.loadUnaligned(fromByteOffset: offset * width, as: Word.self) & magnitude
    guard word >= exponent else { continue }
    found.first = found.first ?? offset
    if word == exponent {
      found.infinityCount += 1
    } else {
      found.nanCount += 1
      found.firstNaN = found.firstNaN ?? offset
    }
  }
  return found
}
