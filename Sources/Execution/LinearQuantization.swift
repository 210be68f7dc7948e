import Graphs
import Tensors

/// Numbers as codes, and codes as numbers: the arithmetic of `QuantizeLinear` and `DequantizeLinear`.
enum LinearQuantization {
  /// `clamp(round(x / scale) + zeroPoint)` with a true float32 division, to nearest even; NaN gives the lowest code.
  ///
  /// 8-bit floating-point codes have no zero point, and stop at their range where they `saturate`.
  static func quantize(
    _ x: Tensor, scale: [Float], zeroPoint: [Int]?, _ layout: ScaleSharing.Layout,
    to type: ElementType, saturates: Bool = true, _ call: OperatorCall
  ) throws -> Tensor {
    let job = Job(x: x, scale: scale, zeroPoint: zeroPoint, layout: layout, call: call)
    guard let range = type.integerRange, type.bitWidth <= 16 else {
      guard let format = MinifloatFormat(type) else {
        throw ExecutionError(.unsupported, "quantization to \(type) is not supported")
      }
      let codes = job.divided { UInt8(format.code($0, saturates: saturates)) }
      return codes.asElements(of: type)
    }
    let codes = Int32(range.lowerBound)...Int32(range.upperBound)
    switch type {
    case .uint8, .uint4, .uint2: return job.quantized(codes, kernelUInt8).packed(as: type)
    case .int8, .int4, .int2:
      let bytes = job.quantized(codes, kernelInt8)
      return type == .int8 ? bytes : bytes.reinterpreted(as: .uint8).packed(as: type)
    case .int16: return job.quantized(codes, kernelInt16)
    default: return job.quantized(codes, kernelUInt16)
    }
  }

  /// `Float(code − zeroPoint) × scale`: a difference of integers, then one rounding each.
  static func dequantize(
    _ codes: Tensor, scale: [Float], zeroPoint: Tensor?, _ layout: ScaleSharing.Layout,
    _ call: OperatorCall
  ) throws -> Tensor {
    let plain = try Casting.plain(codes)
    let job = Job(
      x: plain, scale: scale, zeroPoint: nil, layout: layout, call: call)
    if plain.elementType == .float32 {
      let zeros = try zeroPoint.map { try Casting.plain($0).elements(of: Float.self) }
      return job.scaled(zeros)
    }
    let zeros = zeroPoint?.integers().map { Int32(truncatingIfNeeded: $0) }
    switch plain.elementType {
    case .uint8: return job.dequantized(zeros, UInt8.self, Kernels.dequantize)
    case .int8: return job.dequantized(zeros, Int8.self, Kernels.dequantize)
    case .uint16: return job.dequantized(zeros, UInt16.self, Kernels.dequantize)
    case .int16: return job.dequantized(zeros, Int16.self, Kernels.dequantize)
    case .int32: return job.dequantized(zeros, Int32.self, Kernels.dequantize)
    default: throw ExecutionError(.unsupported, "\(codes.elementType) elements are no codes")
    }
  }

  private static let kernelUInt8: Kernel<UInt8> = {
    Kernels.quantize($0, $1, count: $2, scale: $3, zeroPoint: $4, codes: $5)
  }
  private static let kernelInt8: Kernel<Int8> = {
    Kernels.quantize($0, $1, count: $2, scale: $3, zeroPoint: $4, codes: $5)
  }
  private static let kernelInt16: Kernel<Int16> = {
    Kernels.quantize($0, $1, count: $2, scale: $3, zeroPoint: $4, codes: $5)
  }
  private static let kernelUInt16: Kernel<UInt16> = {
    Kernels.quantize($0, $1, count: $2, scale: $3, zeroPoint: $4, codes: $5)
  }

  fileprivate typealias Kernel<Code> =
    @Sendable (
      UnsafePointer<Float>, UnsafeMutablePointer<Code>, Int, Float, Int32, ClosedRange<Int32>
    ) -> Void

  /// One tensor and its scales.
  private struct Job {
    let x: Tensor
    let scale: [Float]
    let zeroPoint: [Int]?
    let layout: ScaleSharing.Layout
    let call: OperatorCall

    /// Codes of a whole number of bytes, by a kernel where a run shares a scale.
    func quantized<Code: TensorElement & FixedWidthInteger>(
      _ codes: ClosedRange<Int32>, _ kernel: Kernel<Code>
    ) -> Tensor {
      x.withElements(of: Float.self) { source in
        call.output(x.shape, of: Code.self) { target in
          guard let from = source.baseAddress, let to = target.baseAddress else { return }
          ScaleRuns(x.shape, layout).forEachRun { elements, first, step in
            if step == 0 {
              kernel(
                from + elements.lowerBound, to + elements.lowerBound, elements.count, scale[first],
                Int32(zeroPoint?[first] ?? 0), codes)
            } else {
              for (offset, index) in elements.enumerated() {
                let zero = zeroPoint?[first + offset] ?? 0
                to[index] = Code(
                  truncatingIfNeeded: code(from[index] / scale[first + offset], zero, codes))
              }
            }
          }
        }
      }
    }

    private func code(_ quotient: Float, _ zero: Int, _ codes: ClosedRange<Int32>) -> Int32 {
      let low = Float(codes.lowerBound - Int32(zero))
      let high = Float(codes.upperBound - Int32(zero))
      let rounded = quotient.rounded(.toNearestOrEven)
      guard rounded > low else { return codes.lowerBound }
      return Int32(min(rounded, high)) + Int32(zero)
    }

    /// A function of each number divided by its scale.
    func divided(_ function: (Float) -> UInt8) -> Tensor {
      x.withElements(of: Float.self) { source in
        call.output(x.shape, of: UInt8.self) { target in
          let to = target.baseAddress
          ScaleRuns(x.shape, layout).forEachRun { elements, first, step in
            for (offset, index) in elements.enumerated() {
              to![index] = function(source[index] / scale[first + offset * step])
            }
          }
        }
      }
    }

    /// Numbers less zero points, times scales.
    func scaled(_ zeros: [Float]?) -> Tensor {
      x.withElements(of: Float.self) { source in
        call.output(x.shape, of: Float.self) { target in
          let to = target.baseAddress
          ScaleRuns(x.shape, layout).forEachRun { elements, first, step in
            for (offset, index) in elements.enumerated() {
              let place = first + offset * step
              to![index] = (source[index] - (zeros?[place] ?? 0)) * scale[place]
            }
          }
        }
      }
    }

    func dequantized<Code: TensorElement & FixedWidthInteger>(
      _ zeros: [Int32]?, _: Code.Type,
      _ kernel: (UnsafePointer<Code>, UnsafeMutablePointer<Float>, Int, Float, Int32) -> Void
    ) -> Tensor {
      x.withElements(of: Code.self) { source in
        call.output(x.shape, of: Float.self) { target in
          guard let from = source.baseAddress, let to = target.baseAddress else { return }
          ScaleRuns(x.shape, layout).forEachRun { elements, first, step in
            if step == 0 {
              kernel(
                from + elements.lowerBound, to + elements.lowerBound, elements.count, scale[first],
                zeros?[first] ?? 0)
            } else {
              for (offset, index) in elements.enumerated() {
                let difference =
                  Int32(truncatingIfNeeded: from[index]) &- (zeros?[first + offset] ?? 0)
                to[index] = Float(difference) * scale[first + offset]
              }
            }
          }
        }
      }
    }
  }
}

extension OperatorCall {
  /// A scale, or several, as float32.
  func scales(_ index: Int) throws -> [Float] {
    try Casting.cast(try input(index), to: .float32, self).elements(of: Float.self)
  }

  /// One scale. Throws ``ExecutionError`` where there are several.
  func scale(_ index: Int) throws -> Float {
    let scales = try scales(index)
    guard scales.count == 1 else {
      throw ExecutionError(
        .unsupported, "input \(index) is \(scales.count) scales; only one is supported here")
    }
    return scales[0]
  }

  /// One zero point, 0 where it is left out. Throws ``ExecutionError`` where there are several.
  func zeroPoint(_ index: Int) throws -> Int {
    guard let zeros = try integers(index) else { return 0 }
    guard zeros.count == 1 else {
      throw ExecutionError(
        .unsupported, "input \(index) is \(zeros.count) zero points; only one is supported here")
    }
    return zeros[0]
  }

  /// The numbers that the codes of an input stand for, with one scale and zero point.
  func dequantized(_ codes: Int, scale: Int, zeroPoint: Int) throws -> Tensor {
    _ = try self.zeroPoint(zeroPoint)
    return try LinearQuantization.dequantize(
      try input(codes), scale: [try self.scale(scale)], zeroPoint: self[zeroPoint], .perTensor, self
    )
  }

  /// Numbers as codes, with one scale and zero point.
  func quantized(
    _ x: Tensor, scale: Int, zeroPoint: Int, to type: ElementType
  ) throws -> Tensor {
    try LinearQuantization.quantize(
      x, scale: [try self.scale(scale)], zeroPoint: [try self.zeroPoint(zeroPoint)], .perTensor,
      to: type, self)
  }
}
