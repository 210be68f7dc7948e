import Tensors

/// The operators of linear algebra with indices.
let indexAlgebraOperators: [any Operator.Type] = [Einsum.self, Determinant.self]

/// Sums of products over named axes, as in `ij,jk->ik`.
public struct Einsum: Operator {
  public static let name: OperatorName = "Einsum"
  public static let inputCount = 1...Int(Int32.max)
  /// The equation as it is written.
  public let equation: String
  /// The letters of each operand's axes; nil stands where axes without letters (`...`) do.
  package let operands: [[Character?]]
  /// The letters of the result's axes.
  package let result: [Character?]

  public init(_ attributes: inout AttributeReader) throws {
    equation = try attributes.required("equation", attributes.string("equation"))
    let sides = equation.filter { $0 != " " }.split(
      separator: "->", omittingEmptySubsequences: false)
    guard (1...2).contains(sides.count),
      let operands = Einsum.terms(sides[0]), operands.count(where: { _ in true }) >= 1
    else {
      throw attributes.invalid("equation", "is '\(equation)'; must be like 'ij,jk->ik'")
    }
    self.operands = operands
    guard sides.count == 2 else {
      result = Einsum.implicitResult(operands)
      return
    }
    let known = Set(operands.joined().map { $0 })
    guard let terms = Einsum.terms(sides[1]), terms.count == 1,
      Set(terms[0]).count == terms[0].count,
      terms[0].allSatisfy({ $0 == nil || known.contains($0) })
    else {
      throw attributes.invalid(
        "equation",
        "is '\(equation)'; each letter of the result must stand there once and in an input"
      )
    }
    result = terms[0]
  }

  /// The axes without letters, then the letters that stand once, in alphabetical order.
  private static func implicitResult(_ operands: [[Character?]]) -> [Character?] {
    var counts: [Character: Int] = [:]
    for case let letter? in operands.joined() { counts[letter, default: 0] += 1 }
    let single = counts.filter { $0.value == 1 }.keys.sorted()
    let hasEllipsis = operands.joined().contains { $0 == nil }
    return (hasEllipsis ? [nil] : []) + single.map { $0 }
  }

  private static func terms(_ text: Substring) -> [[Character?]]? {
    var terms: [[Character?]] = []
    for term in text.split(separator: ",", omittingEmptySubsequences: false) {
      var letters: [Character?] = []
      var rest = term
      while let next = rest.first {
        if rest.hasPrefix("...") {
          if letters.contains(nil) { return nil }
          letters.append(nil)
          rest = rest.dropFirst(3)
        } else {
          guard next.isASCII, next.isLetter else { return nil }
          letters.append(next)
          rest = rest.dropFirst()
        }
      }
      terms.append(letters)
    }
    return terms
  }

  /// The name of every axis of an operand: a letter, or the place among the axes without letters from the innermost.
  package enum Label: Hashable, Sendable {
    case letter(Character)
    case unnamed(Int)
  }

  /// The labels of an operand's axes. Throws ``GraphError`` where their number doesn't fit.
  package func labels(_ terms: [Character?], rank: Int) throws -> [Label] {
    let unnamed = rank - terms.count(where: { $0 != nil })
    guard unnamed >= 0, unnamed == 0 || terms.contains(nil) else {
      throw GraphError(
        .mismatchedTypes,
        "an input has \(rank) axes; the equation '\(equation)' names \(rank - unnamed)")
    }
    return terms.flatMap { term -> [Label] in
      term.map { [.letter($0)] } ?? (0..<unnamed).reversed().map { .unnamed($0) }
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    guard inputs.types.count == operands.count else {
      throw GraphError(
        .invalidValue,
        "the equation '\(equation)' has \(operands.count) inputs; the node has \(inputs.types.count)"
      )
    }
    let types = operands.indices.map { inputs[$0] }
    let elementType = try Broadcasting.commonElementType(types)
    var lengths: [Label: Dimension] = [:]
    var unnamed = 0
    for (terms, type) in zip(operands, types) {
      guard let dimensions = type.dimensions else { return [ValueType(elementType, nil)] }
      let labels = try labels(terms, rank: dimensions.count)
      for (label, dimension) in zip(labels, dimensions) {
        if case .unnamed(let place) = label { unnamed = max(unnamed, place + 1) }
        lengths[label] = try joined(lengths[label], dimension, label)
      }
    }
    let dimensions = result.flatMap { term -> [Dimension] in
      term.map { [lengths[.letter($0)] ?? .unknown] }
        ?? (0..<unnamed).reversed().map { lengths[.unnamed($0)] ?? .unknown }
    }
    return [ValueType(elementType, dimensions)]
  }

  private func joined(
    _ a: Dimension?, _ b: Dimension, _ label: Label
  ) throws -> Dimension {
    guard let a else { return b }
    let length = try Broadcasting.dimensions([a], [b])
    return length[0]
  }
}

/// The determinant of square matrices [..., n, n].
public struct Determinant: Operator {
  public static let name: OperatorName = "Det"
  public static let inputCount = 1...1

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...ShapeRules.rankLimit)
    guard let dimensions = inputs[0].dimensions else { return [inputs[0]] }
    _ = try ShapeRules.common(
      dimensions[dimensions.count - 2], dimensions[dimensions.count - 1],
      "a determinant is of square matrices")
    return [inputs[0].with(dimensions.dropLast(2))]
  }
}
