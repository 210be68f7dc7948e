import Tensors

// One function for each row of `UpgradeOldOperators.upgrades`; what changed and when is from ONNX's Changelog.

extension UpgradeOldOperators {
  /// *Given* `Squeeze`, `Unsqueeze` or `ReduceSum` with an attribute `axes`. *Result* an input of them.
  static func upgradeAxes(_ old: inout OldNode) throws { try old.moveInts("axes", toInput: 1) }

  /// *Given* `Split` with an attribute `split`. *Result* an input of it.
  static func upgradeSplit(_ old: inout OldNode) throws { try old.moveInts("split", toInput: 1) }

  /// *Given* `BatchNormalization` with an attribute `spatial` of 1 and statistics that nobody reads. *Result* without.
  ///
  /// Throws for statistics per pixel, and where statistics are read, which only training computes.
  static func upgradeBatchNormalization(_ old: inout OldNode) throws {
    guard try old.take("spatial", { try $0.flag("spatial", default: true) }) != false else {
      throw GraphError(
        .unsupportedOperator,
        "BatchNormalization with statistics per pixel (spatial = 0) is not supported")
    }
    while old.node.outputs.count > 1, let last = old.node.outputs.last, !old.isRead(last) {
      old.node.outputs.removeLast()
    }
    guard old.node.outputs.count <= 1 else {
      throw GraphError(
        .unsupportedOperator,
        "BatchNormalization whose statistics are read trains; export the model for inference")
    }
  }

  /// *Given* `Clip` with attributes `min` and `max`. *Result* inputs of them.
  static func upgradeClip(_ old: inout OldNode) throws {
    // The least and the greatest float are how it says that there is no bound.
    let least = -Float.greatestFiniteMagnitude
    if let bound = try old.take("min", { try $0.float("min") }), !(bound <= least) {
      old.setInput(1, old.addConstant("min", try old.scalar(bound)))
    }
    if let bound = try old.take("max", { try $0.float("max") }), !(bound >= -least) {
      old.setInput(2, old.addConstant("max", try old.scalar(bound)))
    }
  }

  /// *Given* `Dropout` with an attribute `ratio`. *Result* an input of it; a mask that is read becomes numbers again
  /// (`Cast`) where it was before opset 10.
  static func upgradeDropout(_ old: inout OldNode) throws {
    if let ratio = try old.take("ratio", { try $0.float("ratio") }) {
      old.setInput(1, old.addConstant("ratio", Tensor(scalar: ratio)))
    }
    guard old.opset < 10, old.node.outputs.count > 1, !old.node.outputs[1].isEmpty else { return }
    let mask = old.node.outputs[1]
    guard old.isRead(mask) else {
      old.node.outputs.removeLast()
      return
    }
    old.node.outputs[1] = old.newName("mask")
    let type = old.inputType?.elementType ?? .float32
    old.after.append(
      old.neighbour(
        "Cast", "cast", reads: [old.node.outputs[1]], computes: mask, ["to": .int(type.onnxCode)]))
  }

  /// *Given* `Pad` with attributes `pads` and `value`. *Result* inputs of them.
  static func upgradePad(_ old: inout OldNode) throws {
    try old.moveInts("pads", toInput: 1)
    if let value = try old.take("value", { try $0.float("value") }), value != 0 {
      old.setInput(2, old.addConstant("value", try old.scalar(value)))
    }
  }

  /// *Given* `Scatter`. *Result* `ScatterElements`, which it was renamed to.
  static func upgradeScatter(_ old: inout OldNode) throws {
    old.node.operation = "ScatterElements"
  }

  /// *Given* `Slice` with attributes `starts`, `ends` and `axes`. *Result* inputs of them.
  static func upgradeSlice(_ old: inout OldNode) throws {
    try old.moveInts("starts", toInput: 1)
    try old.moveInts("ends", toInput: 2)
    try old.moveInts("axes", toInput: 3)
  }

  /// *Given* `TopK` with an attribute `k`. *Result* an input of it.
  static func upgradeTopK(_ old: inout OldNode) throws {
    guard let count = try old.take("k", { try $0.int("k") }) else { return }
    old.setInput(1, old.addConstant("k", Tensor([Int64(count)])))
  }

  /// *Given* `Scan` of opset 8, which goes over a batch. Throws.
  static func refuseScan(_ old: inout OldNode) throws {
    throw GraphError(
      .unsupportedOperator,
      "Scan of opset 8 is not supported; export the model in opset 9 or later")
  }
}

// MARK: - Resizing

extension UpgradeOldOperators {
  /// *Given* `Upsample` with `scales` as attribute or second input. *Result* `Resize` that takes the pixel at
  /// `floor(i / scale)`, or mixes the two around it.
  static func upgradeUpsample(_ old: inout OldNode) throws {
    if let scales = try old.take("scales", { try $0.floats("scales") }) {
      old.setInput(1, old.addConstant("scales", Tensor(scales)))
    }
    old.node.operation = "Resize"
    old.setCoordinates(nearest: "floor")
  }

  /// *Given* `Resize` of opset 10, or of 11 and 12 with empty constants for what is not wanted. *Result* `Resize` with inputs
  /// x, roi, scales, sizes, those not wanted left out.
  ///
  /// In opset 10 the nearest pixel is what ONNX Runtime takes: `floor(i / scale)` of axes that grow, `ceil(i / scale)` of those
  /// that shrink. Throws where both occur, or the scales are not known.
  static func upgradeResize(_ old: inout OldNode) throws {
    guard old.opset < 11 else {
      for index in old.node.inputs.indices.dropFirst() where old.constant(index)?.count == 0 {
        old.node.inputs[index] = ""
      }
      return
    }
    let mode = try old.take("mode") { try $0.string("mode") } ?? "nearest"
    old.node.attributes["mode"] = .string(mode)
    guard mode == "nearest" else { return old.setCoordinates(nearest: "floor") }
    guard let scales = old.constant(1), scales.elementType == .float32 else {
      throw GraphError(
        .unsupportedOperator,
        "Resize of opset 10 whose scales are computed can't be upgraded; export the model in opset 11 "
          + "or later")
    }
    let factors = scales.elements(of: Float.self)
    let shrinks = factors.contains { $0 < 1 }
    guard !shrinks || !factors.contains(where: { $0 > 1 }) else {
      throw GraphError(
        .unsupportedOperator,
        "Resize of opset 10 that enlarges one axis and shrinks another can't be upgraded; "
          + "export the model in opset 11 or later")
    }
    old.setCoordinates(nearest: shrinks ? "ceil" : "floor")
  }
}

extension OldNode {
  /// Makes a node that reads x and scales a `Resize` that counts pixels from their corners.
  fileprivate mutating func setCoordinates(nearest mode: String) {
    if node.inputs.count > 1 { node.inputs.insert("", at: 1) }
    node.attributes["coordinate_transformation_mode"] = .string("asymmetric")
    node.attributes["nearest_mode"] = .string(mode)
  }
}
