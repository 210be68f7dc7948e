import Graphs
import Tensors
import Testing

@Suite struct BroadcastingTests {
  typealias Case = (a: [Dimension], b: [Dimension], result: [Dimension])

  static let cases: [Case] = [
    ([2, 3], [2, 3], [2, 3]), ([2, 3], [3], [2, 3]), ([2, 1], [1, 3], [2, 3]), ([], [4], [4]),
    (["N", 3], ["N", 1], ["N", 3]), (["N"], [1], ["N"]), (["N"], [5], [5]),
    (["N"], ["M"], [.unknown]), ([.unknown], [1], [.unknown]), ([.unknown], [7], [7]),
    (["N"], [.unknown], [.unknown]), ([0], [1], [0]), ([3, 1], ["N", 1, 4], ["N", 3, 4]),
  ]

  @Test(arguments: cases.indices) func pairs(_ index: Int) throws {
    let (a, b, result) = BroadcastingTests.cases[index]
    #expect(try Broadcasting.dimensions(a, b) == result)
    #expect(try Broadcasting.dimensions(b, a) == result)
  }

  @Test func refusals() {
    #expect(
      typeProblem("Add", [float("N", 3), float(4)])
        == "shapes [N, 3] and [4] can't be broadcast together: 3 and 4 differ and neither is 1")
    #expect(
      typeProblem("Mul", [float(1), ValueType(.int32, [1])])
        == "inputs are float32 and int32; must be of one element type, so put a Cast before one")
    #expect(typeProblem("Add", [float(0), float(2)]).contains("0 and 2 differ"))
  }
}
