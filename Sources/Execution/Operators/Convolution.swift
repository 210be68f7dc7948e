import Graphs
import Tensors

/// The functions of the convolutions.
let convolutionFunctions: [OperatorFunction] = [
  OperatorFunction(
    Conv.self,
    single: { op, call in
      try convolution(op.settings, call, try call.shape(of: op), bias: call[2])
    }),
  OperatorFunction(
    FusedConv.self,
    single: { op, call in
      let shape = try call.shape(of: op)
      var result = try convolution(op.settings, call, shape, bias: call[2])
      if let residual = call[3] {
        result = try Arithmetic.apply(Add.self, result, residual, call)
      }
      return try op.activation.values(at: result, call)
    }),
  OperatorFunction(ConvInteger.self, single: integerConvolution),
  OperatorFunction(ConvTranspose.self, single: transposedConvolution),
]

/// The lengths of a convolution, all checked by the shape rule.
struct ConvolutionGeometry {
  let batch, channels, outputs, group: Int
  /// The window's way along each spatial axis.
  let axes: [SlidingWindow.Axis]

  private init(
    batch: Int, channels: Int, outputs: Int, group: Int, axes: [SlidingWindow.Axis]
  ) {
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.group = group
    self.axes = axes
  }

  /// The same without the innermost spatial axis.
  var outerAxes: ConvolutionGeometry {
    ConvolutionGeometry(
      batch: batch, channels: channels, outputs: outputs, group: group,
      axes: Array(axes.dropLast()))
  }

  init(_ settings: ConvolutionSettings, _ x: Shape, _ w: Shape) throws {
    batch = x[0]
    channels = x[1]
    outputs = w[0]
    group = settings.group
    axes = try settings.window.axes(
      input: Array(x.dimensions.dropFirst(2)), kernel: Array(w.dimensions.dropFirst(2)))
  }

  /// The number of input elements, of output positions and of kernel positions of a channel.
  var pixels: Int { axes.reduce(1) { $0 * $1.input } }
  var positions: Int { axes.reduce(1) { $0 * $1.output } }
  var taps: Int { axes.reduce(1) { $0 * $1.kernel } }

  /// Whether every kernel is a single number at every pixel.
  var isPointwise: Bool {
    axes.allSatisfy {
      $0.kernel == 1 && $0.stride == 1 && $0.padBegin == 0 && $0.padEnd == 0
    }
  }

  /// Whether every input channel has its own kernels.
  var isDepthwise: Bool { group == channels && group > 1 }
}

private func convolution(
  _ settings: ConvolutionSettings, _ call: OperatorCall, _ shape: Shape, bias: Tensor?
) throws -> Tensor {
  let (x, w) = (try call.input(0), try call.input(1))
  let geometry = try ConvolutionGeometry(settings, x.shape, w.shape)
  if let bias, bias.elementType != x.elementType {
    throw ExecutionError(
      .invalidInput, "the bias is \(bias); must be \(x.elementType) as the input")
  }
  guard x.elementType == .float32 else {
    let result = try withNumericType(
      x.elementType,
      DirectConvolution(x: x, w: w, shape: shape, geometry: geometry, call: call))
    guard let bias else { return result }
    let perChannel = [bias.count] + geometry.axes.map { _ in 1 }
    return try Arithmetic.apply(Add.self, result, bias.reshaped(to: Shape(perChannel)), call)
  }
  return x.withElements(of: Float.self) { x in
    w.withElements(of: Float.self) { w in
      call.output(shape, of: Float.self) { y in
        func run(_ bias: UnsafePointer<Float>?) {
          guard y.count > 0, let x = x.baseAddress, let w = w.baseAddress else { return }
          FloatConvolution(geometry: geometry, x: x, w: w, bias: bias, y: y.baseAddress!).run()
        }
        if let bias { bias.withElements(of: Float.self) { run($0.baseAddress) } } else { run(nil) }
      }
    }
  }
}

/// Sums of products of codes less their zero points; padding counts as the zero point.
private func integerConvolution(_ op: ConvInteger, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.shape(of: op)
  let (x, w) = (try call.input(0), try call.input(1))
  let geometry = try ConvolutionGeometry(op.settings, x.shape, w.shape)
  if let zero = call[2], zero.count != 1 {
    throw ExecutionError(.invalidInput, "the input's zero point is \(zero); must be one")
  }
  return try DirectConvolution(
    x: try centeredCodes(x, call[2], axis: 1, call),
    w: try centeredCodes(w, call[3], axis: 0, call), shape: shape, geometry: geometry, call: call
  ).run(Int32.self)
}

/// A convolution of any type of number, tap by tap; slow.
private struct DirectConvolution: NumericBody {
  let x, w: Tensor
  let shape: Shape
  let geometry: ConvolutionGeometry
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    x.withElements(of: Element.self) { x in
      w.withElements(of: Element.self) { w in
        call.output(shape, of: Element.self) { y in
          guard y.count > 0, let x = x.baseAddress, let w = w.baseAddress,
            let y = y.baseAddress
          else { return }
          parallelFor(geometry.batch * geometry.outputs) { plane(x, w, y, $0) }
        }
      }
    }
  }

  /// One channel of one image's output.
  private func plane<Element: NumericElement>(
    _ x: UnsafePointer<Element>, _ w: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>,
    _ index: Int
  ) {
    let (image, output) = (index / geometry.outputs, index % geometry.outputs)
    let perGroup = geometry.channels / geometry.group
    let first = output / (geometry.outputs / geometry.group) * perGroup
    let (pixels, positions, taps) = (geometry.pixels, geometry.positions, geometry.taps)
    let result = y + index * positions
    for position in 0..<positions { result[position] = 0 }
    for tap in 0..<taps {
      for position in 0..<positions {
        guard let pixel = geometry.pixel(at: position, tap: tap) else { continue }
        for channel in 0..<perGroup {
          let source = x[(image * geometry.channels + first + channel) * pixels + pixel]
          let weight = w[(output * perGroup + channel) * taps + tap]
          result[position] = result[position].adding(source.multiplying(weight))
        }
      }
    }
  }
}

extension ConvolutionGeometry {
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
