import Graphs
import Tensors

/// Where a value of the network lies while a plan runs.
struct PlannedValue {
  /// The step after which it is there and not yet overwritten; −1 for the inputs.
  let step: Int
  let slot: Slot
  let form: PlanBuilder.Form
  let type: KnownType
  /// What its codes mean, where it exists as codes: it is then told as the numbers that they stand for.
  let codes: PlanBuilder.Codes?
  /// Where its pixels lie in the slot; nil where they lie one after the other.
  var target: ImageTarget?

  /// Whether nothing else lies between its elements.
  var isDense: Bool { target == nil }

  /// The value as its shape says, copied.
  func tensor(in arena: Arena) -> Tensor { arranged(numbers(in: arena)) }

  /// The numbers in the order that the shape says, told in the order in which they lie.
  func arranged(_ value: Tensor) -> Tensor {
    guard form.layout == .channelsLast, let image = type.image else { return value }
    let elementSize = value.elementType.byteCount(of: 1)
    let imageSize = image.channels * image.pixels * elementSize
    return value.withUnsafeBytes { source in
      Tensor(type.shape, value.elementType) { target in
        guard let x = source.baseAddress, let y = target.baseAddress else { return }
        // Whole blocks of channels, which every image has alike.
        let block = 16
        let blocks = (image.channels + block - 1) / block
        parallelFor(image.count * blocks) { part in
          let first = part % blocks * block
          let start = part / blocks * imageSize
          Kernels.transpose(
            x + start + first * elementSize, rows: image.pixels,
            columns: min(block, image.channels - first), stride: image.channels,
            into: y + start + first * image.pixels * elementSize, stride: image.pixels,
            elementSize: elementSize)
        }
      }
    }
  }

  /// The numbers, those that codes stand for among them, copied in the order in which they lie.
  func numbers(in arena: Arena) -> Tensor {
    if let target { return gathered(target, arena.bytes(slot)) }
    return codes.map { numbers($0, arena.bytes(slot)) }
      ?? Tensor(type.shape, type.elementType) {
        $0.copyMemory(
          from: UnsafeRawBufferPointer(start: arena.bytes(slot), count: type.byteCount))
      }
  }

  /// The numbers of pixels that lie in those of a concatenation.
  private func gathered(_ target: ImageTarget, _ memory: UnsafeMutableRawPointer) -> Tensor {
    let elementSize = codes == nil ? type.elementType.byteCount(of: 1) : 1
    let row = type.shape[1] * elementSize
    let elements = Tensor([type.shape.count * elementSize], .uint8) { bytes in
      for pixel in 0..<(row == 0 ? 0 : bytes.count / row) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[pixel * row..<(pixel + 1) * row]).copyMemory(
          from: UnsafeRawBufferPointer(
            start: memory + target.index(ofPixel: pixel) * elementSize, count: row))
      }
    }
    return elements.withUnsafeBytes { bytes in
      let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
      return codes.map { numbers($0, start) }
        ?? Tensor(type.shape, type.elementType) { $0.copyMemory(from: bytes) }
    }
  }

  /// The numbers that codes stand for, in the order in which they lie.
  private func numbers(_ codes: PlanBuilder.Codes, _ memory: UnsafeMutableRawPointer) -> Tensor {
    Tensor(type.shape, of: Float.self) { target in
      guard let y = target.baseAddress else { return }
      if codes.elementType == .int8 && !form.isShifted {
        Kernels.dequantize(
          memory.assumingMemoryBound(to: Int8.self), y, count: target.count, scale: codes.scale,
          zeroPoint: Int32(codes.zeroPoint))
      } else {
        Kernels.dequantize(
          memory.assumingMemoryBound(to: UInt8.self), y, count: target.count, scale: codes.scale,
          zeroPoint: codes.unsignedZeroPoint)
      }
    }
  }
}

/// Images, or their codes, that a step puts among the channels of a concatenation.
struct ImageInConcatenation {
  let form: PlanBuilder.Form
  let target: ImageTarget
  /// The step.
  let step: Int
}

extension PlanBuilder {
  /// The values that exist between steps, by name: each where it comes to be first.
  ///
  /// A value that a fused step computes on the way to another does not exist.
  func plannedValues() throws -> [String: PlannedValue] {
    var writers: [Slot: Int] = [:]
    let shared = Set(concatenationSlots.values)
    for (index, step) in steps.enumerated() {
      for slot in step.writes where writers[slot] == nil || shared.contains(slot) {
        writers[slot] = index
      }
    }
    var values: [String: PlannedValue] = [:]
    for name in graph.inputs.map(\.name) + graph.nodes.flatMap(\.outputs) where !name.isEmpty {
      let codes = codes[name]
      if let image = imagesInConcatenations[codes?.name ?? name] {
        values[name] = PlannedValue(
          step: image.step, slot: image.target.slot, form: image.form, type: try type(of: name),
          codes: codes, target: image.target)
        continue
      }
      // Codes that are no number's are told as they are, which takes a form as they are.
      let places = (forms[codes?.name ?? name] ?? [:]).filter { codes != nil || !$0.key.isShifted }
        .map { (form: $0.key, slot: $0.value, step: writers[$0.value] ?? -1) }
      let first = places.min { one, other in
        (one.step, one.form.order) < (other.step, other.form.order)
      }
      guard let first else { continue }
      values[name] = PlannedValue(
        step: first.step, slot: first.slot, form: first.form, type: try type(of: name),
        codes: codes)
    }
    return values
  }
}

extension PlanBuilder.Form {
  /// Decides between forms that one step writes.
  fileprivate var order: Int { (layout == .rowMajor ? 0 : 1) + (isShifted ? 2 : 0) }
}
