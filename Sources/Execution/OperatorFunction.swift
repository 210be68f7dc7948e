package import Graphs
package import Tensors

/// How an operator's outputs are computed from its inputs.
package struct OperatorFunction: Sendable {
  package let name: OperatorName
  package let run: @Sendable (any Operator, OperatorCall) throws -> [Tensor]

  package init(
    name: OperatorName, run: @escaping @Sendable (any Operator, OperatorCall) throws -> [Tensor]
  ) {
    self.name = name
    self.run = run
  }

  /// The function of the operators that are `Op`s; it returns one tensor per output that the node has.
  package init<Op: Operator>(
    _ type: Op.Type, _ body: @escaping @Sendable (Op, OperatorCall) throws -> [Tensor]
  ) {
    name = Op.name
    run = { decoded, call in
      guard let op = decoded as? Op else { preconditionFailure("\(decoded) is no \(Op.name)") }
      return try body(op, call)
    }
  }

  /// The function of an operator that has one output.
  package init<Op: Operator>(
    _ type: Op.Type, single body: @escaping @Sendable (Op, OperatorCall) throws -> Tensor
  ) {
    self.init(type) { op, call in [try body(op, call)] }
  }
}

/// What an operator is called with.
package struct OperatorCall: Sendable {
  /// The inputs in the operator's order; nil where one is left out.
  package let inputs: [Tensor?]
  /// How many outputs the node has.
  package let outputCount: Int
  /// Where the memory of outputs comes from.
  package let pool: BufferPool
  /// The versions of the operator sets, for graphs that the operator holds.
  package let opsets: [String: Int]
  /// The values of the surrounding graph, for graphs that the operator holds.
  package let scope: @Sendable (String) -> Tensor?
  /// The graphs that the operator holds, by attribute name, ready to run.
  package var bodies: [String: Interpreter] = [:]
  /// What the run may take that the call belongs to; nil where it belongs to none.
  package var budget: RunBudget?

  /// Whether the input at `index` is given.
  package func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

  /// The input at `index`, nil where it is left out.
  package subscript(index: Int) -> Tensor? { index < inputs.count ? inputs[index] : nil }

  /// The input at `index`, which must be there.
  package func input(_ index: Int) throws -> Tensor {
    guard let tensor = self[index] else {
      throw ExecutionError(.invalidInput, "input \(index) is missing; the operator needs it")
    }
    return tensor
  }

  /// The input at `index` as whole numbers, nil where it is left out.
  package func integers(_ index: Int) throws -> [Int]? {
    guard let tensor = self[index] else { return nil }
    guard !tensor.elementType.isFloatingPoint else {
      throw ExecutionError(
        .invalidInput, "input \(index) is \(tensor); must be whole numbers")
    }
    return tensor.integers()
  }

  /// An output whose memory `body` fills; it sees uninitialized bytes.
  package func output<Element: TensorElement>(
    _ shape: Shape, of type: Element.Type,
    _ body: (UnsafeMutableBufferPointer<Element>) throws -> Void
  ) rethrows -> Tensor {
    try Tensor(shape, Element.elementType, pool: pool) {
      try body($0.bindMemory(to: Element.self))
    }
  }
}
