import Tensors

extension PlanStep {
  /// Numbers become unsigned codes.
  static func quantize(
    _ source: Slot, _ codes: PlanBuilder.Codes, into target: Slot, count: Int, label: String
  ) -> PlanStep {
    PlanStep(label, kind: "quantize", reads: [source], writes: [target]) { arena in
      let x = arena.pointer(source, as: Float.self)
      let y = arena.pointer(target, as: UInt8.self)
      return ParallelRanges(count) { part in
        Kernels.quantize(
          x + part.lowerBound, y + part.lowerBound, count: part.count, scale: codes.scale,
          zeroPoint: codes.unsignedZeroPoint, codes: 0...255)
      }.run
    }
  }

  /// Unsigned codes become numbers.
  static func dequantize(
    _ source: Slot, _ codes: PlanBuilder.Codes, into target: Slot, count: Int, label: String
  ) -> PlanStep {
    PlanStep(label, kind: "dequantize", reads: [source], writes: [target]) { arena in
      let x = arena.pointer(source, as: UInt8.self)
      let y = arena.pointer(target, as: Float.self)
      return ParallelRanges(count) { part in
        Kernels.dequantize(
          x + part.lowerBound, y + part.lowerBound, count: part.count, scale: codes.scale,
          zeroPoint: codes.unsignedZeroPoint)
      }.run
    }
  }

  /// Each unsigned code becomes its entry in a table of 256.
  static func lookup(
    _ source: Slot, _ table: [UInt8], into target: Slot, count: Int, label: String
  ) -> PlanStep {
    precondition(table.count == 256)
    return PlanStep(label, kind: "table", reads: [source], writes: [target], weightByteCount: 256) {
      arena in
      let x = arena.pointer(source, as: UInt8.self)
      let y = arena.pointer(target, as: UInt8.self)
      return ParallelRanges(count) { part in
        Kernels.map(x + part.lowerBound, through: table, y + part.lowerBound, count: part.count)
      }.run
    }
  }

  /// Signed codes become unsigned ones or the other way round.
  static func flipSign(_ source: Slot, into target: Slot, count: Int, label: String) -> PlanStep {
    PlanStep(label, kind: "flip sign", reads: [source], writes: [target]) { arena in
      let x = arena.pointer(source, as: UInt8.self)
      let y = arena.pointer(target, as: UInt8.self)
      return { Kernels.flipSign(x, y, count: count) }
    }
  }

  /// The sum or product of two values of the same shape, all as codes.
  static func combine(
    _ operation: Kernels.Binary, _ a: (Slot, PlanBuilder.Codes), _ b: (Slot, PlanBuilder.Codes),
    into target: Slot, _ output: PlanBuilder.QuantizedOutput, count: Int, label: String
  ) -> PlanStep {
    precondition(operation == .add || operation == .multiply)
    return PlanStep(label, kind: "int8 \(operation)", reads: [a.0, b.0], writes: [target]) {
      arena in
      let first = arena.pointer(a.0, as: UInt8.self)
      let second = arena.pointer(b.0, as: UInt8.self)
      let y = arena.pointer(target, as: UInt8.self)
      let (qa, qb, qy) = (a.1.affine, b.1.affine, output.codes.affine)
      let offset = output.codes.offset
      return ParallelRanges(count) { part in
        let i = part.lowerBound
        if operation == .add {
          Kernels.add(first + i, qa, second + i, qb, y + i, qy, offset: offset, count: part.count)
        } else {
          Kernels.multiply(
            first + i, qa, second + i, qb, y + i, qy, offset: offset, count: part.count)
        }
        if output.clamp != 0...255 {
          Kernels.clamp(y + i, y + i, count: part.count, to: output.clamp)
        }
      }.run
    }
  }
}

extension PlanBuilder.Codes {
  /// The meaning of unsigned codes, as kernels take it.
  var affine: Kernels.Affine { (scale, unsignedZeroPoint) }

  /// What is added to codes where kernels take them.
  var offset: Int32 { elementType == .int8 ? 128 : 0 }
}
