import Graphs
import Tensors

/// The functions of the convolutions.
let convolutionFunctions: [OperatorFunction] = [
  OperatorFunction(
    Conv.self,
    single: { op, call in
      try convolution(op.settings, call, try call.outputShape(of: op), bias: call[2])
    }),
  OperatorFunction(
    FusedConv.self,
    single: { op, call in
      let shape = try call.outputShape(of: op)
      var result = try convolution(op.settings, call, shape, bias: call[2])
      if let residual = call[3] {
        result = try Arithmetic.apply(Add.self, result, residual, call)
      }
      return try op.activation.values(at: result, call)
    }),
  OperatorFunction(ConvInteger.self, single: integerConvolution),
  OperatorFunction(ConvTranspose.self, single: transposedConvolution),
]

private func convolution(
  _ settings: ConvolutionSettings, _ call: OperatorCall, _ shape: Shape, bias: Tensor?
) throws -> Tensor {
  let (x, w) = (try call.input(0), try call.input(1))
  let geometry = try ConvolutionGeometry(settings, input: x.shape, weights: w.shape)
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
  let shape = try call.outputShape(of: op)
  let (x, w) = (try call.input(0), try call.input(1))
  let geometry = try ConvolutionGeometry(op.settings, input: x.shape, weights: w.shape)
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
          parallelFor(geometry.images * geometry.outputChannels) { plane(x, w, y, $0) }
        }
      }
    }
  }

  /// One channel of one image's output.
  private func plane<Element: NumericElement>(
    _ x: UnsafePointer<Element>, _ w: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>,
    _ index: Int
  ) {
    let (image, output) = (index / geometry.outputChannels, index % geometry.outputChannels)
    let perGroup = geometry.groupInputs
    let first = output / geometry.groupOutputs * perGroup
    let (pixels, positions, taps) = (geometry.inputPixels, geometry.outputPixels, geometry.taps)
    let result = y + index * positions
    for position in 0..<positions { result[position] = 0 }
    for tap in 0..<taps {
      for position in 0..<positions {
        guard let pixel = geometry.pixel(at: position, tap: tap) else { continue }
        for channel in 0..<perGroup {
          let source = x[(image * geometry.inputChannels + first + channel) * pixels + pixel]
          let weight = w[(output * perGroup + channel) * taps + tap]
          result[position] = result[position].adding(source.multiplying(weight))
        }
      }
    }
  }
}
