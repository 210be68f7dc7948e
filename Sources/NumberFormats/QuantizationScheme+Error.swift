import Tensors

extension QuantizationScheme {
  /// The sum of squared differences between finite numbers and what they become with the given scale and zero point. Runs on
  /// the calling thread.
  package func squaredError(
    of values: UnsafeBufferPointer<Float>, scale: Float, zeroPoint: Int32
  ) -> Double {
    switch code.storageType {
    case .int8: error(values, scale, zeroPoint, Int8.self)
    case .uint8: error(values, scale, zeroPoint, UInt8.self)
    case .int16: error(values, scale, zeroPoint, Int16.self)
    default: error(values, scale, zeroPoint, UInt16.self)
    }
  }

  private func error<Code: CodeElement>(
    _ values: UnsafeBufferPointer<Float>, _ scale: Float, _ zeroPoint: Int32, _ type: Code.Type
  ) -> Double {
    guard let x = values.baseAddress else { return 0 }
    guard code.isLinear else {
      return values.reduce(0) { sum, x in
        let code = code(of: x, scale: scale, zeroPoint: zeroPoint)
        let error = Double(x) - Double(value(of: code, scale: scale, zeroPoint: zeroPoint))
        return sum + error * error
      }
    }
    let chunk = min(2048, values.count)
    let range = codes
    return withUnsafeTemporaryAllocation(of: Code.self, capacity: chunk) { codes in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: chunk) { numbers in
        let (codes, numbers) = (codes.baseAddress!, numbers.baseAddress!)
        var sum = 0.0
        for start in stride(from: 0, to: values.count, by: chunk) {
          let count = min(chunk, values.count - start)
          Code.quantize(
            x + start, codes, count: count, scale: scale, zeroPoint: zeroPoint, codes: range)
          Code.dequantize(codes, numbers, count: count, scale: scale, zeroPoint: zeroPoint)
          sum += Kernels.squaredError(x + start, numbers, count: count)
        }
        return sum
      }
    }
  }
}
