import Graphs
import Tensors

extension PlanBuilder {
  mutating func lowerMaxPool(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard node.outputs.count == 1,
      let pool = try Operators.decode(node, opsets: opsets) as? MaxPool,
      let geometry = try poolGeometry(pool, node)
    else { return false }
    let g = geometry
    let label = node.label
    if let source = codes[node.inputs[0]], let output = quantizedOutput(of: node.outputs[0]),
      output.codes.hasSameMeaning(as: source), output.clamp == 0...255
    {
      let slot = try unsignedCodes(source, .channelsLast)
      let target = try imageTarget(
        for: output.codes.name, isShifted: source.elementType == .int8)
      done.formUnion(output.nodes)
      steps.append(
        PlanStep(
          label, kind: "int8 max pool", reads: [slot], writes: [target.slot],
          part: target.part(channels: g.outputChannels)
        ) { arena in
          let rows = PixelPointers(g, base: arena.pointer(slot, as: UInt8.self), paddingValue: 0)
          let y = arena.pointer(target.slot, as: UInt8.self)
          return {
            for image in 0..<g.images {
              Kernels.maxPool(
                rows.first, offset: image * g.inputImage, padding: rows.padding,
                pixels: g.outputPixels, taps: g.taps, channels: g.inputChannels,
                into: y + target.index(ofPixel: image * g.outputPixels), stride: target.stride)
            }
          }
        })
      return true
    }
    let slot = try slot(of: node.inputs[0], Form(layout: .channelsLast))
    let target = try imageTarget(for: node.outputs[0])
    steps.append(
      PlanStep(
        label, kind: "float max pool", reads: [slot], writes: [target.slot],
        part: target.part(channels: g.outputChannels)
      ) { arena in
        let rows = PixelPointers(
          g, base: arena.pointer(slot, as: Float.self), paddingValue: -.infinity)
        let y = arena.pointer(target.slot, as: Float.self)
        return {
          for image in 0..<g.images {
            Kernels.maxPool(
              rows.first, offset: image * g.inputImage, padding: rows.padding,
              pixels: g.outputPixels, taps: g.taps, channels: g.inputChannels,
              into: y + target.index(ofPixel: image * g.outputPixels), stride: target.stride)
          }
        }
      })
    return true
  }

  /// The lengths of a two-dimensional pooling of images of numbers; nil for any other.
  private func poolGeometry(
    _ pool: some PoolingOperator, _ node: Node
  ) throws -> ConvolutionGeometry? {
    let input = try type(of: node.inputs[0])
    guard input.shape.rank == 4, input.elementType == .float32 else { return nil }
    let geometry = try ConvolutionGeometry(pool, input: input.shape)
    return geometry.outputImage * geometry.images > 0 ? geometry : nil
  }

  /// The mean of each window. Of codes as ONNX Runtime's QLinearAveragePool, which computes it in float32: codes become numbers,
  /// whose sums run over the window row by row, and `round(mean / scale + zeroPoint)` are the codes.
  mutating func lowerAveragePool(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let pool = try Operators.decode(node, opsets: opsets) as? AveragePool,
      let geometry = try poolGeometry(pool, node)
    else { return false }
    let windows = try PoolingWindows(geometry.axes)
    let divisors = windows.elementCounts(countsPadding: pool.countsPadding).map {
      Float(max($0, 1))
    }
    let source = try slot(of: node.inputs[0], Form(layout: .channelsLast))
    guard codes[node.inputs[0]] != nil, let output = quantizedOutput(of: node.outputs[0]) else {
      let target = try newSlot(for: node.outputs[0], Form(layout: .channelsLast))
      steps.append(
        .averagePool(source, geometry, divisors: divisors, into: target, label: node.label))
      return true
    }
    let target = try newSlot(
      for: output.codes.name,
      Form(layout: .channelsLast, isShifted: output.codes.elementType == .int8))
    steps.append(
      .averagePool(
        source, geometry, divisors: divisors, into: target, as: output, label: node.label))
    done.formUnion(output.nodes)
    return true
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
      let sums = newSlot(4 * image.channels)
      steps.append(
        .int8Average(slot, source, image, sums: sums, into: target, output, label: node.label))
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
  /// The mean of each window; `divisors` has one number per output pixel.
  fileprivate static func averagePool(
    _ source: Slot, _ geometry: ConvolutionGeometry, divisors: [Float], into target: Slot,
    as output: PlanBuilder.QuantizedOutput? = nil, label: String
  ) -> PlanStep {
    let g = geometry
    return PlanStep(
      label, kind: output == nil ? "float average pool" : "int8 average pool", reads: [source],
      writes: [target]
    ) { arena in
      let pixels = PixelPointers(
        g, base: arena.pointer(source, as: Float.self), paddingValue: 0)
      let y = arena.bytes(target)
      return {
        for image in 0..<g.images {
          Kernels.averagePool(
            pixels.first, offset: image * g.inputImage, padding: pixels.padding,
            pixels: g.outputPixels, taps: g.taps, channels: g.inputChannels, divisors: divisors,
            into: output.means(y, at: image * g.outputImage))
        }
      }
    }
  }

  /// The mean of each channel of codes, as codes.
  fileprivate static func int8Average(
    _ source: Slot, _ codes: PlanBuilder.Codes, _ image: (count: Int, channels: Int, pixels: Int),
    sums: Slot, into target: Slot, _ output: PlanBuilder.QuantizedOutput, label: String
  ) -> PlanStep {
    PlanStep(label, kind: "int8 average", reads: [source], writes: [target, sums]) { arena in
      let sums = arena.pointer(sums, as: Int32.self)
      let x = arena.pointer(source, as: UInt8.self)
      let y = arena.pointer(target, as: UInt8.self)
      let multiplier = codes.scale / (output.codes.scale * Float(image.pixels))
      let offset = Int32(image.pixels) &* codes.unsignedZeroPoint
      let zeroPoint = Float(output.codes.unsignedZeroPoint)
      let (low, high) = (Float(output.clamp.lowerBound), Float(output.clamp.upperBound))
      return {
        for index in 0..<image.count {
          Kernels.sumPixels(
            x + index * image.channels * image.pixels, pixels: image.pixels,
            channels: image.channels, stride: image.channels, into: sums)
          for channel in 0..<image.channels {
            let mean = (Float(sums[channel] &- offset) * multiplier).rounded(.toNearestOrEven)
            y[index * image.channels + channel] = UInt8(min(max(mean + zeroPoint, low), high))
          }
        }
      }
    }
  }
}

extension PlanBuilder.QuantizedOutput? {
  /// Where means go. Signed codes are rounded as such: the zero point is added first, which decides where ties go.
  fileprivate func means(_ memory: UnsafeMutableRawPointer, at index: Int) -> Kernels.Means {
    guard let self else { return .numbers(memory.assumingMemoryBound(to: Float.self) + index) }
    let offset: Int32 = self.codes.elementType == .int8 ? 128 : 0
    return .codes(
      memory.assumingMemoryBound(to: UInt8.self) + index, scale: self.codes.scale,
      zeroPoint: Int32(self.codes.zeroPoint),
      clamp: Int32(self.clamp.lowerBound) - offset...Int32(self.clamp.upperBound) - offset,
      flip: UInt8(offset))
  }
}
