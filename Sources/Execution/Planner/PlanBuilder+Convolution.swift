import Graphs
import Tensors

extension PlanBuilder {
  mutating func lowerConvolution(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let geometry = try convolutionGeometry(node) else { return false }
    if try lowerInt8Convolution(index, geometry) { return true }
    return try lowerFloatConvolution(index, geometry)
  }

  /// The lengths of a two-dimensional convolution; nil for any other.
  private func convolutionGeometry(_ node: Node) throws -> ConvolutionGeometry? {
    let input = try type(of: node.inputs[0])
    let weights = try type(of: node.inputs[1]).shape
    let output = try type(of: node.outputs[0]).shape
    guard input.shape.rank == 4, input.elementType == .float32, output.count > 0,
      input.shape.count > 0
    else { return nil }
    guard let conv = try Operators.decode(node, opsets: opsets) as? Conv else { return nil }
    return try ConvolutionGeometry(conv.settings, input: input.shape, weights: weights)
  }

  // MARK: Codes

  private mutating func lowerInt8Convolution(
    _ index: Int, _ geometry: ConvolutionGeometry
  ) throws -> Bool {
    let node = graph.nodes[index]
    let g = geometry
    guard let input = codes[node.inputs[0]],
      let weights = Int8Weights(constantCodes(node.inputs[1]), outputs: g.outputChannels, axis: 0),
      let bias = int8Bias(node.input(2), input, weights)
    else { return false }
    let output = quantizedOutput(of: node.outputs[0])
    let source = try unsignedCodes(input, .channelsLast)
    let target = try convolutionTarget(node, output)
    let padding = UInt8(input.unsignedZeroPoint)
    let label = node.label
    let isDepthwise = g.isDepthwise && g.groupOutputs == 1
    if isDepthwise {
      let packed = packed(node.inputs[1], .int8Depthwise) {
        weights.depthwise(g, in: $0.weightMemory)
      }
      let scaling = weights.scaling(
        bias, input, output, sums: packed.channelSums, length: g.taps)
      steps.append(
        .int8Depthwise(
          source, zeroPoint: padding, g, packed, scaling, into: target, label: label))
    } else {
      let layout = PackedWeights.Layout.int8Convolution(groups: g.groups, taps: g.productTaps)
      let packed = packed(node.inputs[1], layout) { weights.convolution(g, in: $0.weightMemory) }
      let scaling = weights.scaling(
        bias, input, output, sums: packed.flatMap(\.columnSums), length: g.taps * g.groupInputs)
      let image = PaddedImage<UInt8>(geometry: g)
      let padded = g.readsPaddedImage && image.isCopy ? newSlot(image.count) : nil
      steps.append(
        .int8Convolution(
          source, zeroPoint: padding, g, packed, scaling, padded: padded, into: target,
          label: label))
    }
    done.formUnion(output?.nodes ?? [])
    return true
  }

  /// Where a convolution's result goes: codes where it is quantized at once, else numbers.
  private mutating func convolutionTarget(
    _ node: Node, _ output: QuantizedOutput?
  ) throws -> ImageTarget {
    guard let codes = output?.codes else { return try imageTarget(for: node.outputs[0]) }
    return try imageTarget(for: codes.name, isShifted: codes.elementType == .int8)
  }

  /// The bias as integers on the scale of the sums; nil where it is given in another way. None is all zeros.
  func int8Bias(_ name: String?, _ input: Codes, _ weights: Int8Weights) -> [Int32]? {
    guard let name else { return [Int32](repeating: 0, count: weights.outputs) }
    guard let bias = constantCodes(name), bias.codes.elementType == .int32,
      bias.codes.count == weights.outputs, bias.zeroPoints.allSatisfy({ $0 == 0 })
    else { return nil }
    for output in 0..<weights.outputs {
      let expected = input.scale * weights.scale(output)
      let given = bias.scales.count == 1 ? bias.scales[0] : bias.scales[output]
      guard abs(given - expected) <= expected * 1e-6 else { return nil }
    }
    return bias.codes.elements(of: Int32.self)
  }

  // MARK: Numbers

  private mutating func lowerFloatConvolution(
    _ index: Int, _ geometry: ConvolutionGeometry
  ) throws -> Bool {
    let node = graph.nodes[index]
    let g = geometry
    let name = node.inputs[1]
    guard isConstant(name) else { return false }
    var bias = [Float](repeating: 0, count: g.outputChannels)
    if let name = node.input(2) {
      guard let tensor = try constant(name) else { return false }
      bias = tensor.elements(of: Float.self)
    }
    let source = try slot(of: node.inputs[0], Form(layout: .channelsLast))
    var end = PlanStep.FloatEnd(
      bias: bias, residual: nil, clamp: -Float.infinity...Float.infinity)
    var result = node.outputs[0]
    let isDepthwise = g.isDepthwise && g.groupOutputs == 1
    if !isDepthwise { result = try fuseResidual(result, &end) }
    result = fuseClamp(result, &end.clamp)
    let target = try imageTarget(for: result)
    if isDepthwise {
      let rows = try packed(name, .floatDepthwise) { builder in
        Tensor(
          try builder.numbers(name).withElements(of: Float.self) {
            transposed($0, rows: g.outputChannels, columns: g.taps)
          })
      }
      steps.append(
        .floatDepthwise(source, g, weights: rows, end, into: target, label: node.label))
    } else {
      let image = PaddedImage<Float>(geometry: g)
      let padded = g.readsPaddedImage && image.isCopy ? newSlot(4 * image.count) : nil
      let weights = try packed(name, .floatConvolution(groups: g.groups)) { builder in
        builder.packedFloat(try builder.numbers(name), g)
      }
      steps.append(
        .floatConvolution(
          source, g, weights, end, padded: padded, into: target, label: node.label))
    }
    return true
  }

  /// Takes an addition of an earlier value of the same size into the step; returns the value it then computes.
  private mutating func fuseResidual(
    _ name: String, _ end: inout PlanStep.FloatEnd
  ) throws -> String {
    guard let index = soleConsumer(of: name), graph.nodes[index].operation == "Add" else {
      return name
    }
    let add = graph.nodes[index]
    let other = add.inputs[0] == name ? add.inputs[1] : add.inputs[0]
    let isReady = forms[other] != nil || codes[other] != nil
    guard other != name, isReady, try type(of: other).shape == type(of: name).shape else {
      return name
    }
    end.residual = try slot(of: other, Form(layout: .channelsLast))
    done.insert(index)
    return add.outputs[0]
  }

  /// Takes a clamping activation into the step; returns the value it then computes.
  mutating func fuseClamp(_ name: String, _ clamp: inout ClosedRange<Float>) -> String {
    guard let index = soleConsumer(of: name), let range = clampRange(graph.nodes[index]),
      range.0 <= range.1
    else { return name }
    clamp = range.0...range.1
    done.insert(index)
    return graph.nodes[index].outputs[0]
  }

  /// The weights that a value which is constant holds.
  mutating func numbers(_ name: String) throws -> Tensor {
    guard let weights = try constant(name) else { throw UnknownType(name: name) }
    return weights
  }

  private func packedFloat(_ weights: Tensor, _ g: ConvolutionGeometry) -> [PackedFloatMatrix] {
    let length = g.groupInputs * g.taps
    return weights.withElements(of: Float.self) { weights in
      (0..<g.groups).map { group in
        var rows: [Float] = []
        rows.reserveCapacity(length * g.groupOutputs)
        for output in 0..<g.groupOutputs {
          let start = (group * g.groupOutputs + output) * length
          rows += transposed(
            UnsafeBufferPointer(rebasing: weights[start..<start + length]), rows: g.groupInputs,
            columns: g.taps)
        }
        return PackedFloatMatrix(
          rows, rows: length, columns: g.groupOutputs, stride: length, transposed: true,
          in: weightMemory)
      }
    }
  }
}

/// A matrix `[columns, rows]` from one `[rows, columns]`.
func transposed<Element>(
  _ matrix: UnsafeBufferPointer<Element>, rows: Int, columns: Int
) -> [Element] {
  var result: [Element] = []
  result.reserveCapacity(rows * columns)
  for column in 0..<columns {
    for row in 0..<rows { result.append(matrix[row * columns + column]) }
  }
  return result
}
