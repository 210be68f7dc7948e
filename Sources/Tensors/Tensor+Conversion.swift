import Foundation

extension Tensor {
  /// The elements as integers: those of an integer or `bool` tensor. Traps for floating-point numbers and packed integers.
  public func integers() -> [Int] {
    switch elementType {
    case .int64: elements(of: Int64.self).map { Int($0) }
    case .int32: elements(of: Int32.self).map { Int($0) }
    case .int16: elements(of: Int16.self).map { Int($0) }
    case .int8: elements(of: Int8.self).map { Int($0) }
    case .uint64: elements(of: UInt64.self).map { Int(truncatingIfNeeded: $0) }
    case .uint32: elements(of: UInt32.self).map { Int($0) }
    case .uint16: elements(of: UInt16.self).map { Int($0) }
    case .uint8: elements(of: UInt8.self).map { Int($0) }
    case .bool: elements(of: UInt8.self, seenAs: .uint8).map { $0 == 0 ? 0 : 1 }
    case .int2, .uint2, .int4, .uint4: unpackedIntegers()
    default: preconditionFailure("\(elementType) elements are not integers")
    }
  }

  private func elements<Element: TensorElement>(
    of type: Element.Type, seenAs elementType: ElementType
  ) -> [Element] {
    reinterpreted(as: elementType).elements(of: type)
  }

  /// The elements of a tensor of 2- or 4-bit integers.
  private func unpackedIntegers() -> [Int] {
    let width = elementType.bitWidth
    let mask = UInt8((1 << width) - 1)
    let isSigned = elementType == .int2 || elementType == .int4
    return withUnsafeBytes { bytes in
      (0..<count).map { index in
        let bit = index * width
        let code = Int((bytes[bit / 8] >> UInt8(bit % 8)) & mask)
        return isSigned && code >= 1 << (width - 1) ? code - (1 << width) : code
      }
    }
  }
}
