import Graphs
import Tensors

/// A float32 convolution of `[N, C, spatial…]` through the kernels.
///
/// A pointwise one is a product of the weights with each image as it lies. Others are computed with channels innermost:
/// each image is transposed, the kernels find pixels through a list of pointers, and the result is transposed back.
struct FloatConvolution {
  let geometry: ConvolutionGeometry
  let x: UnsafePointer<Float>
  let w: UnsafePointer<Float>
  let bias: UnsafePointer<Float>?
  let y: UnsafeMutablePointer<Float>

  private var channels: Int { geometry.inputChannels }
  private var outputs: Int { geometry.outputChannels }
  private var inputSize: Int { geometry.inputImage }
  private var outputSize: Int { geometry.outputImage }
  private var channelsPerGroup: Int { geometry.groupInputs }
  private var outputsPerGroup: Int { geometry.groupOutputs }

  func run() {
    if geometry.isPointwise, !geometry.isDepthwise {
      return forEachImage { pointwise($0) }
    }
    general(packedWeights())
  }

  /// One image uses all threads by itself; several are shared out.
  private func forEachImage(_ body: (Int) -> Void) {
    if geometry.images < Threads.count {
      for image in 0..<geometry.images { body(image) }
    } else {
      parallelFor(geometry.images, body)
    }
  }

  // MARK: - Pointwise

  private func pointwise(_ image: Int) {
    let pixels = geometry.inputPixels
    for group in 0..<geometry.groups {
      let input = x + image * inputSize + group * channelsPerGroup * pixels
      let result = y + image * outputSize + group * outputsPerGroup * pixels
      let packed = PackedFloatMatrix(
        input, rows: channelsPerGroup, columns: pixels, stride: pixels, transposed: false)
      let first = group * outputsPerGroup
      if let bias {
        for output in 0..<outputsPerGroup {
          (result + output * pixels).update(repeating: bias[first + output], count: pixels)
        }
      }
      Kernels.multiply(
        .dense(w + first * channelsPerGroup, stride: channelsPerGroup), rows: outputsPerGroup,
        packed,
        epilogue: .init(
          residual: bias == nil ? nil : UnsafePointer(result), residualStride: pixels),
        into: result, stride: pixels)
    }
  }

  // MARK: - General

  private enum Weights {
    /// A matrix `[taps · channels, outputs]` per group.
    case products([PackedFloatMatrix])
    /// `[taps, channels]` for each of the kernels that a channel has.
    case depthwise([[Float]], biases: [[Float]]?)
  }

  /// The weights `[outputs, channels per group, taps]` with channels innermost.
  private func packedWeights() -> Weights {
    let taps = geometry.taps
    if geometry.isDepthwise {
      let multiplier = outputsPerGroup
      let kernels = (0..<multiplier).map { kernel in
        [Float](unsafeUninitializedCapacity: taps * channels) { target, count in
          for channel in 0..<channels {
            for tap in 0..<taps {
              target[tap * channels + channel] = w[(channel * multiplier + kernel) * taps + tap]
            }
          }
          count = taps * channels
        }
      }
      let biases = bias.map { bias in
        (0..<multiplier).map { kernel in
          (0..<channels).map { bias[$0 * multiplier + kernel] }
        }
      }
      return .depthwise(kernels, biases: biases)
    }
    let length = channelsPerGroup * taps
    return .products(
      (0..<geometry.groups).map { group in
        MatrixProduct.withScratch(outputsPerGroup * length) { rows in
          for output in 0..<outputsPerGroup {
            Kernels.transpose(
              w + (group * outputsPerGroup + output) * length, rows: channelsPerGroup,
              columns: taps, stride: taps, into: rows + output * length,
              stride: channelsPerGroup, elementSize: 4)
          }
          return PackedFloatMatrix(
            rows, rows: length, columns: outputsPerGroup, stride: length, transposed: true)
        }
      })
  }

  /// The images with channels innermost, then a block of positions after the other.
  private func general(_ weights: Weights) {
    MatrixProduct.withScratch(geometry.images * inputSize) { images in
      forEachImage { image in
        transpose(
          x + image * inputSize, rows: channels, columns: geometry.inputPixels,
          into: images + image * inputSize, stride: channels)
      }
      for block in PixelPointers<Float>.blocks(geometry) {
        let pointers = PixelPointers(geometry, block, base: images, paddingValue: 0)
        forEachImage { image in
          MatrixProduct.withScratch(pointers.positions.count * outputs) { result in
            convolve(image, pointers, weights, result)
          }
        }
      }
    }
  }

  /// One block of positions of one image; `result` has room for it.
  private func convolve(
    _ image: Int, _ pointers: PixelPointers<Float>, _ weights: Weights,
    _ result: UnsafeMutablePointer<Float>
  ) {
    let offset = image * inputSize
    let (positions, count) = (geometry.outputPixels, pointers.positions.count)
    let target = y + image * outputSize + pointers.positions.lowerBound
    switch weights {
    case .products(let matrices):
      for (group, matrix) in matrices.enumerated() {
        let first = group * outputsPerGroup
        Kernels.multiply(
          .indirect(
            pointers.first, offset: offset + group * channelsPerGroup, padding: pointers.padding),
          rows: count, taps: geometry.taps, matrix,
          epilogue: .init(bias: bias.map { $0 + first }), into: result + first, stride: outputs)
      }
      transpose(result, rows: count, columns: outputs, into: target, stride: positions)
    case .depthwise(let kernels, let biases):
      for (kernel, weights) in kernels.enumerated() {
        func run(_ bias: UnsafePointer<Float>?) {
          Kernels.depthwise(
            pointers.first, offset: offset, padding: pointers.padding, pixels: count,
            weights: weights, taps: geometry.taps, channels: channels, bias: bias, into: result,
            stride: channels)
        }
        if let biases { run(biases[kernel]) } else { run(nil) }
        transpose(
          result, rows: count, columns: channels, into: target + kernel * positions,
          stride: positions * kernels.count)
      }
    }
  }

  /// `y[c, r] = x[r, c]`, x dense, on all threads.
  private func transpose(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, into y: UnsafeMutablePointer<Float>,
    stride: Int
  ) {
    let blocks = rows * columns < Elementwise.chunkLength ? 1 : Threads.count
    let perBlock = (columns + blocks - 1) / blocks
    parallelFor(blocks) { block in
      let first = min(block * perBlock, columns)
      let count = min(perBlock, columns - first)
      guard count > 0 else { return }
      Kernels.transpose(
        x + first, rows: rows, columns: count, stride: columns, into: y + first * stride,
        stride: stride, elementSize: 4)
    }
  }
}
