import Graphs
import Tensors

extension PlanStep {
  /// A constant is copied to where steps expect values.
  static func constant(_ tensor: Tensor, into target: Slot, label: String) -> PlanStep {
    PlanStep(
      label, kind: "constant", reads: [], writes: [target], weightByteCount: tensor.byteCount
    ) {
      arena in
      let y = UnsafeMutableRawBufferPointer(start: arena.bytes(target), count: tensor.byteCount)
      return { tensor.withUnsafeBytes { y.copyMemory(from: $0) } }
    }
  }

  /// Images change between channels outermost and channels innermost.
  static func changeLayout(
    _ source: Slot, _ image: (count: Int, channels: Int, pixels: Int), _ elementType: ElementType,
    to layout: PlanBuilder.Form.Layout, into target: Slot, label: String
  ) -> PlanStep {
    let (rows, columns) =
      layout == .channelsLast ? (image.channels, image.pixels) : (image.pixels, image.channels)
    let elementSize = elementType.byteCount(of: 1)
    let imageSize = rows * columns * elementSize
    return PlanStep(label, kind: "change layout", reads: [source], writes: [target]) { arena in
      let x = arena.bytes(source)
      let y = arena.bytes(target)
      return {
        for index in 0..<image.count {
          Kernels.transpose(
            x + index * imageSize, rows: rows, columns: columns, stride: columns,
            into: y + index * imageSize, stride: rows, elementSize: elementSize)
        }
      }
    }
  }
}

/// What a step that runs an operator's reference function reads.
enum ReferenceInput {
  case none
  case constant(Tensor)
  case value(Slot, KnownType)

  fileprivate var slot: Slot? { if case .value(let slot, _) = self { slot } else { nil } }

  fileprivate var constantByteCount: Int {
    if case .constant(let tensor) = self { tensor.byteCount } else { 0 }
  }

  fileprivate func tensor(in arena: Arena) -> Tensor? {
    switch self {
    case .none: nil
    case .constant(let tensor): tensor
    case .value(let slot, let type):
      Tensor(
        type.shape, type.elementType, borrowing: arena.bytes(slot), ownedBy: arena.owner)
    }
  }
}

extension PlanStep {
  /// A node is left to the function that defines its operator.
  static func reference(
    _ function: OperatorFunction, _ decoded: any Operator, inputs: [ReferenceInput],
    outputs: [(slot: Slot, type: KnownType)?], pool: BufferPool, opsets: [String: Int],
    label: String, kind: String? = nil
  ) -> PlanStep {
    PlanStep(
      label, kind: kind ?? "\(function.name)", reads: inputs.compactMap(\.slot),
      writes: outputs.compactMap { $0?.slot },
      weightByteCount: inputs.reduce(0) { $0 + $1.constantByteCount },
      unread: looksUp(decoded) ? unread(of: inputs.first ?? .none, outputs) : (0, 0),
      isReference: true
    ) { arena in
      let call = OperatorCall(
        inputs: inputs.map { $0.tensor(in: arena) }, outputCount: outputs.count,
        pool: pool, opsets: opsets, scope: { _ in nil })
      let targets = outputs.map { output in
        output.map {
          UnsafeMutableRawBufferPointer(start: arena.bytes($0.slot), count: $0.type.byteCount)
        }
      }
      return {
        let results = try located(label) { try function.run(decoded, call) }
        for (index, target) in targets.enumerated() {
          guard let target, let expected = outputs[index]?.type else { continue }
          let result = results[index]
          guard result.shape == expected.shape, result.elementType == expected.elementType else {
            throw ExecutionError(
              .unsupported,
              "gives \(result) where \(expected.elementType)\(expected.shape) was planned",
              path: [label])
          }
          result.withUnsafeBytes { target.copyMemory(from: $0) }
        }
      }
    }
  }

  /// Whether of the first input only such elements are read as are written.
  private static func looksUp(_ decoded: any Operator) -> Bool {
    decoded is Gather || decoded is GatherElements || decoded is GatherND || decoded is Slice
  }

  /// The bytes of the input beyond those of the outputs.
  private static func unread(
    of input: ReferenceInput, _ outputs: [(slot: Slot, type: KnownType)?]
  ) -> (values: Int, weights: Int) {
    let written = outputs.reduce(0) { $0 + ($1?.type.byteCount ?? 0) }
    return switch input {
    case .none: (0, 0)
    case .constant(let tensor): (0, max(tensor.byteCount - written, 0))
    case .value(_, let type): (max(type.byteCount - written, 0), 0)
    }
  }
}
