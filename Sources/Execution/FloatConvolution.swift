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

  private var channels: Int { geometry.channels }
  private var outputs: Int { geometry.outputs }
  private var inputSize: Int { channels * geometry.pixels }
  private var outputSize: Int { outputs * geometry.positions }
  private var channelsPerGroup: Int { channels / geometry.group }
  private var outputsPerGroup: Int { outputs / geometry.group }

  func run() {
    if geometry.isPointwise, channelsPerGroup > 1 || geometry.group == 1 {
      return forEachImage { pointwise($0) }
    }
    let weights = packedWeights()
    MatrixProduct.withScratch(channels) { padding in
      padding.update(repeating: 0, count: channels)
      if geometry.batch == 1 || geometry.batch < Threads.count {
        MatrixProduct.withScratch(inputSize + outputSize) { scratch in
          let pointers = PixelPointers(geometry, base: scratch, padding: padding)
          for image in 0..<geometry.batch { general(image, scratch, pointers, weights) }
        }
      } else {
        // The pointers of one image serve all.
        MatrixProduct.withScratch(geometry.batch * inputSize) { images in
          let pointers = PixelPointers(geometry, base: images, padding: padding)
          parallelFor(geometry.batch) { image in
            MatrixProduct.withScratch(outputSize) { result in
              general(image, images, result, pointers, weights, offset: image * inputSize)
            }
          }
        }
      }
    }
  }

  /// One image uses all threads by itself; several are shared out.
  private func forEachImage(_ body: (Int) -> Void) {
    if geometry.batch < Threads.count {
      for image in 0..<geometry.batch { body(image) }
    } else {
      parallelFor(geometry.batch, body)
    }
  }

  // MARK: - Pointwise

  private func pointwise(_ image: Int) {
    let pixels = geometry.pixels
    for group in 0..<geometry.group {
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
      (0..<geometry.group).map { group in
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

  /// Convolves an image by itself; `scratch` has room for its pixels and the result.
  private func general(
    _ image: Int, _ scratch: UnsafeMutablePointer<Float>, _ pointers: PixelPointers,
    _ weights: Weights
  ) {
    general(image, scratch, scratch + inputSize, pointers, weights, offset: 0)
  }

  private func general(
    _ image: Int, _ images: UnsafeMutablePointer<Float>, _ result: UnsafeMutablePointer<Float>,
    _ pointers: PixelPointers, _ weights: Weights, offset: Int
  ) {
    let (pixels, positions) = (geometry.pixels, geometry.positions)
    transpose(
      x + image * inputSize, rows: channels, columns: pixels, into: images + offset,
      stride: channels)
    let target = y + image * outputSize
    switch weights {
    case .products(let matrices):
      for (group, matrix) in matrices.enumerated() {
        let first = group * outputsPerGroup
        Kernels.multiply(
          .indirect(
            pointers.first, offset: offset + group * channelsPerGroup, padding: pointers.padding),
          rows: positions, taps: geometry.taps, matrix,
          epilogue: .init(bias: bias.map { $0 + first }), into: result + first, stride: outputs)
      }
      transpose(result, rows: positions, columns: outputs, into: target, stride: positions)
    case .depthwise(let kernels, let biases):
      for (kernel, weights) in kernels.enumerated() {
        func run(_ bias: UnsafePointer<Float>?) {
          Kernels.depthwise(
            pointers.first, offset: offset, padding: pointers.padding, pixels: positions,
            weights: weights, taps: geometry.taps, channels: channels, bias: bias, into: result,
            stride: channels)
        }
        if let biases { run(biases[kernel]) } else { run(nil) }
        transpose(
          result, rows: positions, columns: channels, into: target + kernel * positions,
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

/// Where the pixels under the kernel lie, for each output position and tap of an image with channels innermost.
final class PixelPointers {
  let first: UnsafePointer<UnsafePointer<Float>>
  let padding: UnsafePointer<Float>
  private let memory: UnsafeMutablePointer<UnsafePointer<Float>>

  /// Pointers into an image at `base`; pixels outside of it are at `padding`.
  init(_ geometry: ConvolutionGeometry, base: UnsafePointer<Float>, padding: UnsafePointer<Float>) {
    self.padding = padding
    let (taps, positions) = (geometry.taps, geometry.positions)
    let memory = UnsafeMutablePointer<UnsafePointer<Float>>.allocate(
      capacity: max(taps * positions, 1))
    self.memory = memory
    first = UnsafePointer(memory)
    let channels = geometry.channels
    // The innermost axis is walked over directly, the others for each run of positions along it.
    let inner = geometry.axes[geometry.axes.count - 1]
    let outer = geometry.outerAxes
    parallelFor(positions / inner.output) { run in
      for tap in 0..<(taps / inner.kernel) {
        let start = outer.pixel(at: run, tap: tap).map { base + $0 * inner.input * channels }
        for column in 0..<inner.output {
          let target = memory + (run * inner.output + column) * taps + tap * inner.kernel
          for k in 0..<inner.kernel {
            let index = column * inner.stride + k * inner.dilation - inner.padBegin
            target[k] =
              if let start, index >= 0, index < inner.input { start + index * channels } else {
                padding
              }
          }
        }
      }
    }
  }

  deinit { memory.deallocate() }
}
