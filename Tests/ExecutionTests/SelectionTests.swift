import Execution
import Graphs
import Tensors
import Testing

@Suite struct SelectionTests {
  @Test func nonZeroNamesEveryPlace() throws {
    let y = try applySingle("NonZero", [Tensor([Float(0), 2, -0.0, .nan], shape: [2, 2])])
    #expect(y.shape == [2, 2])
    #expect(y.elements(of: Int64.self) == [0, 1, 1, 1])
  }

  @Test func uniqueElements() throws {
    let x = Tensor([Int32(3), 1, 3, 2, 1])
    let sorted = try apply("Unique", [x], outputCount: 4)
    #expect(sorted[0].elements(of: Int32.self) == [1, 2, 3])
    #expect(sorted[1].elements(of: Int64.self) == [1, 3, 0])
    #expect(sorted[2].elements(of: Int64.self) == [2, 0, 2, 1, 0])
    #expect(sorted[3].elements(of: Int64.self) == [2, 1, 2])
    let asFound = try apply("Unique", [x], ["sorted": .int(0)], outputCount: 1)
    #expect(asFound[0].elements(of: Int32.self) == [3, 1, 2])
  }

  @Test func uniqueRows() throws {
    let y = try applySingle(
      "Unique", [Tensor([Float(1), 0, 1, 0, 0, 9], shape: [3, 2])], ["axis": .int(0)])
    #expect(y.elements(of: Float.self) == [0, 9, 1, 0])
  }

  @Test func compressKeepsWhatIsTrue() throws {
    let x = counting([3, 2])
    let rows = try applySingle("Compress", [x, Tensor([false, true])], ["axis": .int(0)])
    #expect(rows.elements(of: Float.self) == [2, 3])
    let elements = try applySingle("Compress", [x, Tensor([true, false, false, true])])
    #expect(elements.elements(of: Float.self) == [0, 3])
    let text = message { _ = try applySingle("Compress", [counting([1]), Tensor([true, true])]) }
    #expect(text == "node: the condition is true at 1; the axis has 1 elements")
  }

  @Test func boxesThatOverlapAreLeftOut() throws {
    let boxes = Tensor([Float(0), 0, 2, 2, 0, 0.1, 2, 2, 5, 5, 6, 6], shape: [1, 3, 4])
    let scores = Tensor([Float(0.6), 0.9, 0.1], shape: [1, 1, 3])
    let y = try applySingle(
      "NonMaxSuppression", [boxes, scores, list(5), Tensor([Float(0.5)])])
    #expect(y.elements(of: Int64.self) == [0, 0, 1, 0, 0, 2])
  }

  @Test func sequencesInReverse() throws {
    let y = try applySingle(
      "ReverseSequence", [counting([2, 3]), list(2, 3)],
      ["batch_axis": .int(0), "time_axis": .int(1)])
    #expect(y.elements(of: Float.self) == [1, 0, 2, 5, 4, 3])
  }
}

@Suite struct EinsumTests {
  @Test(
    arguments: [
      ("ij,jk->ik", [[2, 3], [3, 4]]), ("ij,jk", [[2, 3], [3, 4]]),
      ("bij,bjk->bik", [[5, 2, 3], [5, 3, 4]]),
      ("ij->ji", [[2, 3]]), ("ii->i", [[4, 4]]), ("ii", [[4, 4]]), ("i,j->ij", [[3], [4]]),
      ("ij->", [[3, 4]]), ("i,i->", [[5], [5]]),
      ("abc,cd,de->abe", [[2, 2, 3], [3, 2], [2, 4]]),
      ("...ij,...jk->...ik", [[2, 1, 2, 3], [4, 3, 2]]),
      ("bhqd,bhkd->bhqk", [[2, 2, 3, 4], [2, 2, 5, 4]]),
      ("ij,ij->i", [[1, 3], [2, 3]]),
    ] as [(String, [[Int]])])
  func sumsOfProducts(_ equation: String, _ shapes: [[Int]]) throws {
    let operands = shapes.map { counting(Shape($0)) }
    let y = try applySingle("Einsum", operands, ["equation": .string(equation)])
    #expect(y.elements(of: Float.self) == reference(equation, operands))
  }

  /// One loop over all labels.
  private func reference(_ equation: String, _ operands: [Tensor]) -> [Float] {
    let sides = equation.split(separator: "-").map { String($0.filter { $0 != ">" }) }
    // Axes without letters become capitals, the innermost first.
    func labels(_ term: String, rank: Int) -> [Character] {
      let letters = term.filter(\.isLetter)
      guard term.contains(".") else { return Array(letters) }
      let unnamed = (0..<(rank - letters.count)).reversed().map { Array("ZYX")[$0] }
      return unnamed + Array(letters)
    }
    let terms = zip(sides[0].split(separator: ","), operands).map {
      labels(String($0), rank: $1.shape.rank)
    }
    var lengths: [Character: Int] = [:]
    for (term, operand) in zip(terms, operands) {
      for (label, length) in zip(term, operand.shape.dimensions) {
        lengths[label] = max(lengths[label] ?? 1, length)
      }
    }
    let all = lengths.keys.sorted()
    let counts = terms.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
    let result =
      sides.count == 2
      ? labels(sides[1], rank: sides[1].filter(\.isLetter).count + 3).filter { lengths[$0] != nil }
      : all.filter { counts[$0] == 1 }
    let shape = Shape(result.map { lengths[$0]! })
    var sums = [Double](repeating: 0, count: shape.count)
    for place in 0..<all.reduce(1, { $0 * lengths[$1]! }) {
      var index: [Character: Int] = [:]
      var rest = place
      for label in all {
        index[label] = rest % lengths[label]!
        rest /= lengths[label]!
      }
      let product = zip(terms, operands).reduce(1.0) { product, pair in
        let (term, operand) = pair
        var at = 0
        for (axis, label) in term.enumerated() where operand.shape[axis] != 1 {
          at += index[label]! * operand.shape.strides[axis]
        }
        return product * Double(operand.elements(of: Float.self)[at])
      }
      var target = 0
      for (label, stride) in zip(result, shape.strides) { target += index[label]! * stride }
      sums[target] += product
    }
    return sums.map { Float($0) }
  }

  @Test func wrongEquations() {
    let text = message {
      _ = try applySingle("Einsum", [counting([2])], ["equation": .string("i->j")])
    }
    #expect(
      text == "node: attribute 'equation' is 'i->j'; each letter of the result must stand there "
        + "once and in an input")
    let rank = message {
      _ = try applySingle("Einsum", [counting([2])], ["equation": .string("ij->i")])
    }
    #expect(rank == "node: an input has 1 axes; the equation 'ij->i' names 2")
  }

  @Test func determinants() throws {
    let x = Tensor([Float(1), 2, 3, 4, 0, 1, 1, 0], shape: [2, 2, 2])
    #expect(try applySingle("Det", [x]).elements(of: Float.self) == [-2, -1])
  }
}
