import Graphs
import Tensors

/// The lengths of a two-dimensional convolution or pooling over images with the channels innermost.
struct ImageWindow {
  let images: Int
  let inputHeight: Int
  let inputWidth: Int
  let inputChannels: Int
  let outputHeight: Int
  let outputWidth: Int
  let outputChannels: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let strideHeight: Int
  let strideWidth: Int
  let dilationHeight: Int
  let dilationWidth: Int
  let padTop: Int
  let padLeft: Int
  let groups: Int

  /// The lengths for an input `[images, channels, height, width]` and the window's way along height and width.
  init(input: Shape, axes: [SlidingWindow.Axis], outputChannels: Int, groups: Int) {
    (images, inputChannels, inputHeight, inputWidth) = (input[0], input[1], input[2], input[3])
    self.outputChannels = outputChannels
    self.groups = groups
    (outputHeight, outputWidth) = (axes[0].output, axes[1].output)
    (kernelHeight, kernelWidth) = (axes[0].kernel, axes[1].kernel)
    (strideHeight, strideWidth) = (axes[0].stride, axes[1].stride)
    (dilationHeight, dilationWidth) = (axes[0].dilation, axes[1].dilation)
    (padTop, padLeft) = (axes[0].padBegin, axes[1].padBegin)
  }

  /// Kernel positions.
  var taps: Int { kernelHeight * kernelWidth }
  /// Pixels of one output image.
  var outputPixels: Int { outputHeight * outputWidth }
  /// Elements of one input image.
  var inputImage: Int { inputHeight * inputWidth * inputChannels }
  /// Elements of one output image.
  var outputImage: Int { outputPixels * outputChannels }
  var groupInputs: Int { inputChannels / groups }
  var groupOutputs: Int { outputChannels / groups }
  /// Whether each channel is filtered on its own.
  var isDepthwise: Bool { groups > 1 && groups == inputChannels && groups == outputChannels }
  /// The multiply-accumulate operations of all images.
  var multiplications: Int { images * outputImage * taps * groupInputs }

  /// Whether output pixel `p` reads input pixel `p` and no other.
  var isPointwise: Bool {
    taps == 1 && strideHeight == 1 && strideWidth == 1 && padTop == 0 && padLeft == 0
      && inputHeight == outputHeight && inputWidth == outputWidth
  }

  /// Whether there are so few channels that a kernel's row, rather than its position, is worth a product of its own.
  var hasFewChannels: Bool {
    groups == 1 && inputChannels <= 4 && kernelWidth > 1 && dilationWidth == 1
  }

  /// The rows and columns that output pixels can reach, padding included.
  var paddedHeight: Int {
    (outputHeight - 1) * strideHeight + (kernelHeight - 1) * dilationHeight + 1
  }
  var paddedWidth: Int { (outputWidth - 1) * strideWidth + (kernelWidth - 1) * dilationWidth + 1 }
}

/// For each pixel of an output image and each kernel position, where the input pixel's channels begin.
final class RowPointers<Element>: @unchecked Sendable {
  let pointers: UnsafeMutablePointer<UnsafePointer<Element>>
  /// What stands for input pixels outside of the image.
  let padding: UnsafeMutablePointer<Element>

  /// The pointers for images that begin at `input`; positions outside read `paddingValue` in every channel.
  init(
    _ geometry: ImageWindow, input: UnsafePointer<Element>, paddingValue: Element
  ) {
    let g = geometry
    pointers = .allocate(capacity: max(g.outputPixels * g.taps, 1))
    padding = .allocate(capacity: g.inputChannels + MemoryPlan.margin)
    padding.initialize(repeating: paddingValue, count: g.inputChannels + MemoryPlan.margin)
    var next = pointers
    for oy in 0..<g.outputHeight {
      for ox in 0..<g.outputWidth {
        for ky in 0..<g.kernelHeight {
          let y = oy * g.strideHeight + ky * g.dilationHeight - g.padTop
          for kx in 0..<g.kernelWidth {
            let x = ox * g.strideWidth + kx * g.dilationWidth - g.padLeft
            let isInside = y >= 0 && y < g.inputHeight && x >= 0 && x < g.inputWidth
            next.initialize(
              to: isInside
                ? input + (y * g.inputWidth + x) * g.inputChannels : UnsafePointer(padding))
            next += 1
          }
        }
      }
    }
  }

  deinit {
    pointers.deallocate()
    padding.deallocate()
  }

  /// The pointers as kernels take them.
  var rows: UnsafePointer<UnsafePointer<Element>> { UnsafePointer(pointers) }
}

/// An image with room for the padding around it, so that a kernel's row is contiguous even at the border.
struct PaddedImage<Element> {
  let geometry: ImageWindow

  /// Elements of the padded image.
  static func count(_ g: ImageWindow) -> Int {
    g.paddedHeight * g.paddedWidth * g.inputChannels
  }

  /// Copies one image into the padded one; `target` is written whole.
  func fill(
    _ target: UnsafeMutablePointer<Element>, from image: UnsafePointer<Element>,
    padding: Element
  ) {
    let g = geometry
    let rowCount = g.paddedWidth * g.inputChannels
    let left = min(g.padLeft, g.paddedWidth)
    let copied = max(min(g.inputWidth, g.paddedWidth - left), 0)
    for row in 0..<g.paddedHeight {
      let start = target + row * rowCount
      let y = row - g.padTop
      guard y >= 0 && y < g.inputHeight else {
        start.update(repeating: padding, count: rowCount)
        continue
      }
      let right = (left + copied) * g.inputChannels
      start.update(repeating: padding, count: left * g.inputChannels)
      (start + left * g.inputChannels).update(
        from: image + y * g.inputWidth * g.inputChannels, count: copied * g.inputChannels)
      (start + right).update(repeating: padding, count: rowCount - right)
    }
  }

  /// For each output pixel and each kernel row, where that row begins.
  func rowPointers(in padded: UnsafePointer<Element>) -> [UnsafePointer<Element>] {
    let g = geometry
    var rows: [UnsafePointer<Element>] = []
    rows.reserveCapacity(g.outputPixels * g.kernelHeight)
    for oy in 0..<g.outputHeight {
      for ox in 0..<g.outputWidth {
        for ky in 0..<g.kernelHeight {
          let y = oy * g.strideHeight + ky * g.dilationHeight
          rows.append(padded + (y * g.paddedWidth + ox * g.strideWidth) * g.inputChannels)
        }
      }
    }
    return rows
  }
}
