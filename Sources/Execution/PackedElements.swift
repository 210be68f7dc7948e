import Tensors

extension Tensor {
  /// The bit patterns of elements that are smaller than a byte, one byte each; other tensors as they are.
  func unpacked() -> Tensor {
    let width = elementType.bitWidth
    guard width < 8 else { return self }
    let mask = UInt8((1 << width) - 1)
    let perByte = 8 / width
    return Tensor(shape, of: UInt8.self) { codes in
      withUnsafeBytes { bytes in
        for index in codes.indices {
          codes[index] = bytes[index / perByte] >> UInt8(index % perByte * width) & mask
        }
      }
    }
  }

  /// Bit patterns of one byte each as elements that are smaller; the reverse of ``unpacked()``.
  func packed(as elementType: ElementType) -> Tensor {
    let width = elementType.bitWidth
    guard width < 8, self.elementType == .uint8 else { return self }
    let mask = UInt8((1 << width) - 1)
    let perByte = 8 / width
    return Tensor(shape, elementType) { bytes in
      withElements(of: UInt8.self) { codes in
        for byte in bytes.indices {
          var value: UInt8 = 0
          for index in byte * perByte..<min((byte + 1) * perByte, codes.count) {
            value |= (codes[index] & mask) << UInt8(index % perByte * width)
          }
          bytes[byte] = value
        }
      }
    }
  }

  /// The same bits as unsigned integers of the same width, for work that only moves elements.
  var bitPatterns: Tensor {
    switch elementType.bitWidth {
    case 16: reinterpreted(as: .uint16)
    case 32: reinterpreted(as: .uint32)
    case 64: reinterpreted(as: .uint64)
    case 8: reinterpreted(as: .uint8)
    default: unpacked()
    }
  }

  /// Bit patterns as elements of the given type; the reverse of ``bitPatterns``.
  func asElements(of elementType: ElementType) -> Tensor {
    elementType.bitWidth < 8 ? packed(as: elementType) : reinterpreted(as: elementType)
  }
}
