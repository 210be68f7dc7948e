import Execution
import Foundation
import Graphs
import Tensors
import Testing

@Suite struct ReductionTests {
  private static let x = Tensor([Float(1), -2, 3, 4, 5, -6], shape: [2, 3])

  private static let rowValues: [(String, [Double])] = [
    ("ReduceSum", [2, 3]), ("ReduceMean", [2.0 / 3, 1]), ("ReduceMax", [3, 5]),
    ("ReduceMin", [-2, -6]), ("ReduceProd", [-6, -120]), ("ReduceL1", [6, 15]),
    ("ReduceL2", [Double(14).squareRoot(), Double(77).squareRoot()]),
    ("ReduceLogSum", [log(2.0), log(3.0)]), ("ReduceSumSquare", [14, 77]),
    ("ReduceLogSumExp", [logSumExp([1, -2, 3]), logSumExp([4, 5, -6])]),
  ]

  private static func logSumExp(_ numbers: [Double]) -> Double {
    log(numbers.reduce(0.0) { $0 + exp($1) })
  }

  @Test(arguments: rowValues)
  func rows(_ operation: String, _ expected: [Double]) throws {
    let y = try applySingle(
      OperatorName(operation), [ReductionTests.x, list(-1)], ["keepdims": .int(0)])
    #expect(y.shape == [2])
    #expect(y.elements(of: Float.self) == expected.map { Float($0) })
  }

  @Test func axesInTheMiddleAndAll() throws {
    let x = counting([2, 3, 4])
    let middle = try applySingle("ReduceSum", [x, list(1)])
    #expect(middle.shape == [2, 1, 4])
    #expect(middle.elements(of: Float.self) == [12, 15, 18, 21, 48, 51, 54, 57])
    let outer = try applySingle("ReduceSum", [x, list(0, 2)], ["keepdims": .int(0)])
    #expect(outer.elements(of: Float.self) == [60, 92, 124])
    #expect(try applySingle("ReduceSum", [x]).elements(of: Float.self) == [276])
  }

  @Test func axesAsAnAttribute() throws {
    let y = try applySingle("ReduceMax", [ReductionTests.x], ["axes": .ints([0])], opset: 13)
    #expect(y.elements(of: Float.self) == [4, 5, 3])
  }

  @Test func noAxesAtAll() throws {
    let y = try applySingle(
      "ReduceSum", [ReductionTests.x], ["noop_with_empty_axes": .int(1)])
    #expect(y.isIdentical(to: ReductionTests.x))
  }

  @Test(
    arguments: [
      ("ReduceSum", 0), ("ReduceProd", 1), ("ReduceMax", -Float.infinity),
      ("ReduceMin", Float.infinity), ("ReduceL2", 0),
    ] as [(String, Float)])
  func nothing(_ operation: String, _ expected: Float) throws {
    let y = try applySingle(
      OperatorName(operation), [Tensor.zeros([2, 0], .float32), list(1)])
    #expect(y.elements(of: Float.self) == [expected, expected])
  }

  @Test func booleans() throws {
    let x = Tensor([true, false, false, false], shape: [2, 2])
    let any = try applySingle("ReduceMax", [x, list(1)], ["keepdims": .int(0)])
    #expect(any.elements(of: Bool.self) == [true, false])
    let all = try applySingle("ReduceMin", [x, list(1)], ["keepdims": .int(0)])
    #expect(all.elements(of: Bool.self) == [false, false])
  }

  @Test func integersWrapAround() throws {
    let y = try applySingle("ReduceSum", [Tensor([Int32.max, 1])])
    #expect(y.elements(of: Int32.self) == [Int32.min])
  }

  @Test func sumsAreAccurate() throws {
    // A million numbers of which float32 addition one by one would lose the small ones.
    let x = Tensor([Float](repeating: 0.1, count: 1 << 20) + [1e7], shape: [(1 << 20) + 1])
    let expected = Double(Float(0.1)) * Double(1 << 20) + 1e7
    #expect(try applySingle("ReduceSum", [x]).elements(of: Float.self) == [Float(expected)])
  }

  @Test func sumsDoNotDependOnThreads() throws {
    let x = counting([300, 1000])
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 1
    let one = try applySingle("ReduceMean", [x, list(1)])
    Threads.count = 3
    #expect(try applySingle("ReduceMean", [x, list(1)]).isIdentical(to: one))
  }

  @Test func halfPrecisionIsRoundedOnce() throws {
    let halves = try applySingle(
      "Cast", [Tensor([Float](repeating: 1, count: 4097))], ["to": .int(10)])
    let sum = try applySingle("ReduceSum", [halves])
    #expect(sum.elementType == .float16)
    // 4097 lies between the halves 4096 and 4100 and is nearer to the former.
    #expect(try applySingle("Cast", [sum], ["to": .int(1)]).elements(of: Float.self) == [4096])
  }

  @Test func extremeIndices() throws {
    let x = Tensor([Float(2), 5, 5, 1, 1, 0], shape: [2, 3])
    let first = try applySingle("ArgMax", [x], ["axis": .int(1), "keepdims": .int(0)])
    #expect(first.elements(of: Int64.self) == [1, 0])
    let last = try applySingle(
      "ArgMax", [x], ["axis": .int(1), "select_last_index": .int(1)])
    #expect(last.elements(of: Int64.self) == [2, 1])
    let least = try applySingle("ArgMin", [x], ["axis": .int(0)])
    #expect(least.shape == [1, 3])
    #expect(least.elements(of: Int64.self) == [1, 1, 1])
  }

  @Test func greatestOnes() throws {
    let x = Tensor([Float(3), 1, 4, 1, 5, 9, 2, 6], shape: [2, 4])
    let top = try apply("TopK", [x, list(2)], outputCount: 2)
    #expect(top[0].elements(of: Float.self) == [4, 3, 9, 6])
    #expect(top[1].elements(of: Int64.self) == [2, 0, 1, 3])
    let low = try apply(
      "TopK", [x, list(1)], ["axis": .int(0), "largest": .int(0)], outputCount: 2)
    #expect(low[0].elements(of: Float.self) == [3, 1, 2, 1])
    #expect(low[1].elements(of: Int64.self) == [0, 0, 1, 0])
    let none = message { _ = try applySingle("TopK", [x, list(5)]) }
    #expect(none == "node: k is 5; must be 0 to the length of the axis, 4")
  }

  @Test(
    arguments: [
      (false, false, [1, 3, 6]), (true, false, [0, 1, 3]), (false, true, [6, 5, 3]),
      (true, true, [5, 3, 0]),
    ] as [(Bool, Bool, [Int64])])
  func runningSums(_ exclusive: Bool, _ reverse: Bool, _ expected: [Int64]) throws {
    let y = try applySingle(
      "CumSum", [list(1, 2, 3), Tensor(scalar: Int32(0))],
      ["exclusive": .int(exclusive ? 1 : 0), "reverse": .int(reverse ? 1 : 0)])
    #expect(y.elements(of: Int64.self) == expected)
  }

  @Test func wrongAxes() {
    let twice = message { _ = try applySingle("ReduceSum", [ReductionTests.x, list(0, -2)]) }
    #expect(twice == "node: axes [0, 0] name an axis twice")
    let none = message { _ = try applySingle("ReduceSum", [ReductionTests.x, list(2)]) }
    #expect(none == "node: axis 2 is out of range; must be -2 to 1")
  }
}
