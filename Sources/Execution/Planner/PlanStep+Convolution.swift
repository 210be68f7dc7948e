import Graphs
import Tensors

/// How an int8 convolution's sums become codes or numbers; one entry per output channel.
struct SumScaling {
  /// Added to sums: the bias, and what the zero points come to.
  let bias: [Int32]
  /// Set where weights have zero points of their own.
  let weightZeroPoints: [Int32]?
  let multipliers: [Float]
  /// The codes that sums become, nil where they become numbers.
  let output: PlanBuilder.QuantizedOutput?

  /// The bytes of the arrays.
  var byteCount: Int { 4 * (bias.count + multipliers.count + (weightZeroPoints?.count ?? 0)) }

  /// Where the sums of the channels from `channel` on go.
  func output(
    _ memory: UnsafeMutableRawPointer, at index: Int, stride: Int, channel: Int,
    _ multipliers: UnsafePointer<Float>
  ) -> Kernels.SumOutput {
    if let output {
      .uint8(
        memory.assumingMemoryBound(to: UInt8.self) + index + channel, stride: stride,
        multiplier: multipliers + channel, zeroPoint: output.codes.unsignedZeroPoint,
        clamp: output.clamp)
    } else {
      .float(
        memory.assumingMemoryBound(to: Float.self) + index + channel, stride: stride,
        multiplier: multipliers + channel)
    }
  }

  /// Calls `body` with the arrays in memory.
  func withPointers(
    _ body: (UnsafePointer<Int32>, UnsafePointer<Int32>?, UnsafePointer<Float>) -> Void
  ) {
    bias.withUnsafeBufferPointer { bias in
      multipliers.withUnsafeBufferPointer { multipliers in
        if let weightZeroPoints {
          weightZeroPoints.withUnsafeBufferPointer {
            body(bias.baseAddress!, $0.baseAddress!, multipliers.baseAddress!)
          }
        } else {
          body(bias.baseAddress!, nil, multipliers.baseAddress!)
        }
      }
    }
  }
}

extension PlanStep {
  /// A convolution of unsigned codes.
  static func int8Convolution(
    _ source: Slot, zeroPoint: UInt8, _ geometry: ConvolutionGeometry,
    _ weights: [PackedInt8Matrix], _ scaling: SumScaling, padded: Slot?, into target: ImageTarget,
    label: String
  ) -> PlanStep {
    let g = geometry
    return PlanStep(
      label, kind: "int8 convolution", reads: [source],
      writes: [target.slot] + (padded.map { [$0] } ?? []), multiplications: g.multiplications,
      weightByteCount: weights.reduce(scaling.byteCount) { $0 + $1.byteCount },
      part: target.part(channels: g.outputChannels)
    ) { arena in
      let x = arena.pointer(source, as: UInt8.self)
      let y = arena.bytes(target.slot)
      let rows = ConvolutionRows(g, x, padded.map { arena.pointer($0) }, padding: zeroPoint)
      return {
        scaling.withPointers { bias, weightZeroPoints, multipliers in
          rows.forEachImage(g) { image, pixels, operand in
            for (group, weights) in weights.enumerated() {
              let channel = group * g.groupOutputs
              Kernels.multiply(
                operand(group * g.groupInputs), rows: pixels, weights,
                correction: .init(
                  bias: bias + channel, weightZeroPoints: weightZeroPoints.map { $0 + channel }),
                output: scaling.output(
                  y, at: target.index(ofPixel: image * g.outputPixels), stride: target.stride,
                  channel: channel, multipliers))
            }
          }
        }
      }
    }
  }

  /// A depthwise convolution of unsigned codes.
  static func int8Depthwise(
    _ source: Slot, zeroPoint: UInt8, _ geometry: ConvolutionGeometry, _ weights: PackedDepthwise,
    _ scaling: SumScaling, into target: ImageTarget, label: String
  ) -> PlanStep {
    let g = geometry
    return PlanStep(
      label, kind: "int8 depthwise convolution", reads: [source], writes: [target.slot],
      multiplications: g.multiplications,
      weightByteCount: weights.byteCount + scaling.byteCount,
      part: target.part(channels: g.outputChannels)
    ) { arena in
      let rows = PixelPointers(
        g, base: arena.pointer(source, as: UInt8.self), paddingValue: zeroPoint)
      let y = arena.bytes(target.slot)
      return {
        scaling.withPointers { bias, weightZeroPoints, multipliers in
          for image in 0..<g.images {
            Kernels.depthwise(
              rows.first, offset: image * g.inputImage, padding: rows.padding,
              pixels: g.outputPixels, run: g.sharesColumns ? g.axes[1].output : 1,
              step: g.axes[1].stride, weights,
              correction: .init(bias: bias, weightZeroPoints: weightZeroPoints),
              output: scaling.output(
                y, at: target.index(ofPixel: image * g.outputPixels), stride: target.stride,
                channel: 0, multipliers))
          }
        }
      }
    }
  }

  /// What a float convolution does after its sums.
  struct FloatEnd {
    /// One number per output channel.
    var bias: [Float]
    /// A value of the output's size that is added.
    var residual: Slot?
    var clamp: ClosedRange<Float>
  }

  /// A convolution of numbers.
  static func floatConvolution(
    _ source: Slot, _ geometry: ConvolutionGeometry, _ weights: [PackedFloatMatrix],
    _ end: FloatEnd, padded: Slot?, into target: ImageTarget, label: String
  ) -> PlanStep {
    let g = geometry
    return PlanStep(
      label, kind: "float convolution", reads: [source] + (end.residual.map { [$0] } ?? []),
      writes: [target.slot] + (padded.map { [$0] } ?? []), multiplications: g.multiplications,
      weightByteCount: weights.reduce(4 * end.bias.count) { $0 + $1.byteCount },
      part: target.part(channels: g.outputChannels)
    ) { arena in
      let x = arena.pointer(source, as: Float.self)
      let y = arena.pointer(target.slot, as: Float.self)
      let residual = end.residual.map { arena.pointer($0, as: Float.self) }
      let rows = ConvolutionRows(g, x, padded.map { arena.pointer($0) }, padding: 0)
      return {
        end.bias.withUnsafeBufferPointer { bias in
          rows.forEachImage(g) { image, pixels, operand in
            for (group, weights) in weights.enumerated() {
              let channel = group * g.groupOutputs
              let start = image * g.outputImage + channel
              Kernels.multiply(
                operand(group * g.groupInputs), rows: pixels, taps: g.productTaps, weights,
                epilogue: .init(
                  bias: bias.baseAddress! + channel, residual: residual.map { $0 + start },
                  residualStride: g.outputChannels, clamp: end.clamp),
                into: y + target.index(ofPixel: image * g.outputPixels) + channel,
                stride: target.stride)
            }
          }
        }
      }
    }
  }

  /// A depthwise convolution of numbers; `weights` is `[taps, channels]`.
  static func floatDepthwise(
    _ source: Slot, _ geometry: ConvolutionGeometry, weights: Tensor, _ end: FloatEnd,
    into target: ImageTarget, label: String
  ) -> PlanStep {
    let g = geometry
    return PlanStep(
      label, kind: "float depthwise convolution", reads: [source], writes: [target.slot],
      multiplications: g.multiplications, weightByteCount: weights.byteCount + 4 * end.bias.count,
      part: target.part(channels: g.outputChannels)
    ) { arena in
      let rows = PixelPointers(g, base: arena.pointer(source, as: Float.self), paddingValue: 0)
      let y = arena.pointer(target.slot, as: Float.self)
      return {
        end.bias.withUnsafeBufferPointer { bias in
          weights.withElements(of: Float.self) { weights in
            for image in 0..<g.images {
              Kernels.depthwise(
                rows.first, offset: image * g.inputImage, padding: rows.padding,
                pixels: g.outputPixels, weights: weights.baseAddress!, taps: g.taps,
                channels: g.outputChannels, bias: bias.baseAddress!, clamp: end.clamp,
                into: y + target.index(ofPixel: image * g.outputPixels), stride: target.stride)
            }
          }
        }
      }
    }
  }
}

/// The first operand of a convolution's product: pixels of the images, or what lies under each tap.
private enum ConvolutionRows<Element> {
  /// Pixel after pixel, as they are.
  case pixels(UnsafePointer<Element>)
  /// One stride apart, in the images or in a copy of one with its padding, which is then made anew for each.
  case spaced(
    UnsafePointer<Element>, stride: Int, copy: ((UnsafePointer<Element>) -> Void)?,
    taps: [UnsafePointer<Element>])
  /// Anywhere.
  case indirect(PixelPointers<Element>)

  init(
    _ geometry: ConvolutionGeometry, _ input: UnsafePointer<Element>,
    _ copy: UnsafeMutablePointer<Element>?, padding: Element
  ) {
    if geometry.isPointwise {
      self = .pixels(input)
    } else if geometry.readsPaddedImage {
      let image = PaddedImage<Element>(geometry: geometry)
      let taps = image.tapPointers(in: copy.map { UnsafePointer($0) } ?? input)
      self = .spaced(
        input, stride: image.pixelStride,
        copy: copy.map { image.copier(into: $0, padding: padding) }, taps: taps)
    } else {
      self = .indirect(PixelPointers(geometry, base: input, paddingValue: padding))
    }
  }

  /// Calls `body` with an image's index, its output pixels, and a function from a group's first channel to the operand.
  /// Images that are read pixel by pixel come as one.
  func forEachImage(
    _ g: ConvolutionGeometry, _ body: (Int, Int, (Int) -> Kernels.Rows<Element>) -> Void
  ) {
    switch self {
    case .pixels(let input):
      body(0, g.images * g.outputPixels) { .dense(input + $0, stride: g.inputChannels) }
    case .spaced(let input, let stride, let copy, let taps):
      taps.withUnsafeBufferPointer { taps in
        for index in 0..<g.images {
          let start = index * g.inputImage
          copy?(input + start)
          body(index, g.outputPixels) { channel in
            .spaced(
              taps.baseAddress!, offset: (copy == nil ? start : 0) + channel,
              run: g.axes[1].output, stride: stride)
          }
        }
      }
    case .indirect(let pointers):
      for index in 0..<g.images {
        body(index, g.outputPixels) { channel in
          .indirect(
            pointers.first, offset: index * g.inputImage + channel, padding: pointers.padding)
        }
      }
    }
  }
}
