package import Tensors

extension ElementType {
  /// Whether ``Tensors/Tensor/asFloat32()`` has numbers for such elements: float32, float16, bfloat16, float64.
  package var convertsToFloat32: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .float64: true
    default: false
    }
  }
}

extension Tensor {
  /// The numbers of a floating-point tensor as float32: itself where it already is.
  ///
  /// Throws ``NumberFormatError`` for other element types than float32, float16, bfloat16 and float64.
  package func asFloat32() throws -> Tensor {
    guard elementType != .float32 else { return self }
    return try FloatSource.with(self) { source in
      Tensor(shape, of: Float.self) { floats in
        guard let target = floats.baseAddress else { return }
        let chunk = FloatSource.chunk
        parallelFor((count + chunk - 1) / chunk) { index in
          let start = index * chunk
          source.copy(start, Swift.min(chunk, count - start), to: target + start)
        }
      }
    }
  }

  /// The elements of a tensor of float32 rounded to float16 or bfloat16, to nearest even; as it is where either type is another.
  package func rounded(to type: ElementType) -> Tensor {
    guard type == .float16 || type == .bfloat16, elementType == .float32 else { return self }
    let rounded = withElements(of: Float.self) { source in
      Tensor(shape, of: UInt16.self) { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        type == .float16
          ? Kernels.floatToFloat16(from, to, count: source.count)
          : Kernels.floatToBFloat16(from, to, count: source.count)
      }
    }
    return rounded.reinterpreted(as: type)
  }
}
