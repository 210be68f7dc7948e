import Graphs
import Tensors

extension PlanBuilder {
  mutating func lowerMaxPool(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let input = try type(of: node.inputs[0])
    guard input.shape.rank == 4, input.elementType == .float32, node.outputs.count == 1,
      let geometry = try poolGeometry(node, input.shape)
    else { return false }
    let g = geometry
    let label = node.label
    if let source = codes[node.inputs[0]], let output = quantizedOutput(of: node.outputs[0]),
      output.codes.hasSameMeaning(as: source), output.clamp == 0...255
    {
      let slot = try unsignedCodes(source, .channelsLast)
      let target = try newSlot(
        for: output.codes.name,
        Form(layout: .channelsLast, isShifted: source.elementType == .int8))
      done.formUnion(output.nodes)
      steps.append(
        PlanStep(label, kind: "int8 max pool", reads: [slot], writes: [target]) { arena in
          let rows = RowPointers(g, input: arena.pointer(slot, as: UInt8.self), paddingValue: 0)
          let y = arena.pointer(target, as: UInt8.self)
          return {
            for image in 0..<g.images {
              Kernels.maxPool(
                rows.rows, offset: image * g.inputImage, padding: rows.padding,
                pixels: g.outputPixels, taps: g.taps, channels: g.inputChannels,
                into: y + image * g.outputImage, stride: g.outputChannels)
            }
          }
        })
      return true
    }
    let slot = try slot(of: node.inputs[0], Form(layout: .channelsLast))
    let target = try newSlot(for: node.outputs[0], Form(layout: .channelsLast))
    steps.append(
      PlanStep(label, kind: "float max pool", reads: [slot], writes: [target]) { arena in
        let rows = RowPointers(
          g, input: arena.pointer(slot, as: Float.self), paddingValue: -.infinity)
        let y = arena.pointer(target, as: Float.self)
        return {
          for image in 0..<g.images {
            Kernels.maxPool(
              rows.rows, offset: image * g.inputImage, padding: rows.padding,
              pixels: g.outputPixels, taps: g.taps, channels: g.inputChannels,
              into: y + image * g.outputImage, stride: g.outputChannels)
          }
        }
      })
    return true
  }

  private func poolGeometry(_ node: Node, _ input: Shape) throws -> ImageWindow? {
    guard let pool = try Operators.decode(node, opsets: opsets) as? MaxPool else { return nil }
    guard let kernel = pool.window.kernelShape else { return nil }
    let axes = try pool.window.axes(
      input: Array(input.dimensions[2...]), kernel: kernel, roundsUp: pool.roundsUp)
    let geometry = ImageWindow(
      input: input, axes: axes, outputChannels: input[1], groups: 1)
    return geometry.outputImage * geometry.images > 0 ? geometry : nil
  }

  /// The mean of each channel. On codes: `round((Σ code − n·zeroPoint) · (sx / (sy · n))) + zeroPoint`, summed exactly.
  mutating func lowerGlobalAveragePool(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let input = try type(of: node.inputs[0])
    guard let image = input.image, input.elementType == .float32, image.pixels > 0,
      isChannelsLast(node.inputs[0])
    else { return false }
    if let source = codes[node.inputs[0]], let output = quantizedOutput(of: node.outputs[0]) {
      let slot = try unsignedCodes(source, .channelsLast)
      let target = try newSlot(
        for: output.codes.name,
        Form(layout: .channelsLast, isShifted: output.codes.elementType == .int8))
      done.formUnion(output.nodes)
      steps.append(
        .int8Average(slot, source, image, into: target, output, label: node.label))
      return true
    }
    let slot = try slot(of: node.inputs[0], Form(layout: .channelsLast))
    let target = try newSlot(for: node.outputs[0], Form(layout: .channelsLast))
    steps.append(
      PlanStep(node.label, kind: "float average", reads: [slot], writes: [target]) { arena in
        let x = arena.pointer(slot, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        return {
          for index in 0..<image.count {
            let sums = y + index * image.channels
            Kernels.sumPixels(
              x + index * image.channels * image.pixels, pixels: image.pixels,
              channels: image.channels, stride: image.channels, into: sums)
            Kernels.apply(
              .divide, sums, Float(image.pixels), sums, count: image.channels)
          }
        }
      })
    return true
  }
}

extension PlanStep {
  /// The mean of each channel of codes, as codes.
  fileprivate static func int8Average(
    _ source: Slot, _ codes: PlanBuilder.Codes, _ image: (count: Int, channels: Int, pixels: Int),
    into target: Slot, _ output: PlanBuilder.QuantizedOutput, label: String
  ) -> PlanStep {
    PlanStep(label, kind: "int8 average", reads: [source], writes: [target]) { arena in
      let x = arena.pointer(source, as: UInt8.self)
      let y = arena.pointer(target, as: UInt8.self)
      let multiplier = codes.scale / (output.codes.scale * Float(image.pixels))
      let offset = Int32(image.pixels) &* codes.unsignedZeroPoint
      let zeroPoint = Float(output.codes.unsignedZeroPoint)
      let (low, high) = (Float(output.clamp.lowerBound), Float(output.clamp.upperBound))
      return {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: image.channels) { sums in
          for index in 0..<image.count {
            Kernels.sumPixels(
              x + index * image.channels * image.pixels, pixels: image.pixels,
              channels: image.channels, stride: image.channels, into: sums.baseAddress!)
            for channel in 0..<image.channels {
              let mean = (Float(sums[channel] &- offset) * multiplier).rounded(.toNearestOrEven)
              y[index * image.channels + channel] = UInt8(min(max(mean + zeroPoint, low), high))
            }
          }
        }
      }
    }
  }
}
