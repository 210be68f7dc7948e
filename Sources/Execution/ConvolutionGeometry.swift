import Graphs
import Tensors

/// The lengths of a convolution or a pooling over `[N, C, spatial…]`, all checked by the shape rule.
struct ConvolutionGeometry {
  let images: Int
  let inputChannels: Int
  let outputChannels: Int
  let groups: Int
  /// The window's way along each spatial axis.
  let axes: [SlidingWindow.Axis]
  /// Pixels of one input image, pixels of one output image, and kernel positions.
  let inputPixels: Int
  let outputPixels: Int
  let taps: Int

  /// The lengths for an input `[images, channels, spatial…]` and the window's way along each spatial axis.
  init(input: Shape, axes: [SlidingWindow.Axis], outputChannels: Int, groups: Int = 1) {
    (images, inputChannels) = (input[0], input[1])
    self.outputChannels = outputChannels
    self.groups = groups
    self.axes = axes
    inputPixels = axes.reduce(1) { $0 * $1.input }
    outputPixels = axes.reduce(1) { $0 * $1.output }
    taps = axes.reduce(1) { $0 * $1.kernel }
  }

  /// The lengths of a convolution of an input with weights `[outputs, inputs per group, kernel…]`.
  init(_ settings: ConvolutionSettings, input: Shape, weights: Shape) throws {
    let axes = try settings.window.axes(
      input: Array(input.dimensions.dropFirst(2)), kernel: Array(weights.dimensions.dropFirst(2)))
    self.init(
      input: input, axes: axes, outputChannels: weights[0], groups: settings.group)
  }

  /// The lengths of a pooling.
  init(_ pooling: some PoolingOperator, input: Shape) throws {
    let axes = try pooling.window.axes(
      input: Array(input.dimensions.dropFirst(2)), kernel: pooling.window.kernelShape ?? [],
      roundsUp: pooling.roundsUp)
    self.init(input: input, axes: axes, outputChannels: input[1])
  }

  /// Elements of one input image, and of one output image.
  var inputImage: Int { inputPixels * inputChannels }
  var outputImage: Int { outputPixels * outputChannels }
  var groupInputs: Int { inputChannels / groups }
  var groupOutputs: Int { outputChannels / groups }
  /// Whether each channel is filtered on its own, once or several times.
  var isDepthwise: Bool { groups > 1 && groups == inputChannels }
  /// The multiply-accumulate operations of all images.
  var multiplications: Int { images * outputImage * taps * groupInputs }

  /// Whether output pixel `p` reads input pixel `p` and no other.
  var isPointwise: Bool {
    axes.allSatisfy {
      $0.kernel == 1 && $0.stride == 1 && $0.padBegin == 0 && $0.input == $0.output
    }
  }

  /// Whether a kernel's row, all channels included, is contiguous in the image.
  var hasRowTaps: Bool { groups == 1 && axes[axes.count - 1].dilation == 1 }

  /// Into how many stretches of memory the numbers under a two-dimensional kernel fall, as products read them.
  var productTaps: Int {
    isPointwise ? 1 : readsPaddedImage && hasRowTaps ? axes[0].kernel : taps
  }

  /// Whether neighbouring pixels of a row see the same columns, `stride` further to the left.
  var sharesColumns: Bool {
    axes.count == 2 && axes[0].kernel > 1 && axes[1].dilation == 1
  }

  /// The same without the innermost spatial axis.
  var outerAxes: ConvolutionGeometry {
    ConvolutionGeometry(
      input: [images, inputChannels], axes: Array(axes.dropLast()),
      outputChannels: outputChannels, groups: groups)
  }

  /// The pixel under a kernel's tap at an output position; nil in the padding.
  func pixel(at position: Int, tap: Int) -> Int? {
    var (position, tap, pixel, stride) = (position, tap, 0, 1)
    for axis in axes.reversed() {
      let index =
        position % axis.output * axis.stride + tap % axis.kernel * axis.dilation - axis.padBegin
      guard index >= 0, index < axis.input else { return nil }
      pixel += index * stride
      stride *= axis.input
      position /= axis.output
      tap /= axis.kernel
    }
    return pixel
  }
}
