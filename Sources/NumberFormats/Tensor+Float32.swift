package import Tensors

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
}
