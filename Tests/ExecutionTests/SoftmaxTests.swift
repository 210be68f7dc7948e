import Foundation
import Graphs
import Tensors
import Testing

@Suite struct SoftmaxTests {
  @Test(arguments: [0, 1, 2, -1, -3]) func equalsTheDefinition(_ axis: Int) throws {
    let x = randomFloats([3, 4, 5], seed: 7)
    let attributes = ["axis": AttributeValue.int(axis)]
    let shares = try runNode("Softmax", [x], attributes)[0].floats
    let logarithms = try runNode("LogSoftmax", [x], attributes)[0].floats
    let best = try runNode("Hardmax", [x], attributes)[0].floats
    let length = x.shape[axis]
    let step = x.shape.strides[axis < 0 ? axis + 3 : axis]
    for start in 0..<x.count where start / step % length == 0 {
      let line = (0..<length).map { start + $0 * step }
      let sum = line.reduce(0.0) { $0 + exp(Double(x.floats[$1])) }
      for index in line {
        let expected = exp(Double(x.floats[index])) / sum
        #expect(abs(Double(shares[index]) - expected) < 1e-6)
        #expect(abs(Double(logarithms[index]) - log(expected)) < 1e-5)
      }
      let greatest = line.max { x.floats[$0] < x.floats[$1] }!
      #expect(line.map { best[$0] } == line.map { $0 == greatest ? 1 : 0 })
    }
    let double = Tensor(x.floats.map { Double($0) }, shape: x.shape)
    let wide = try runNode("Softmax", [double], attributes)[0].elements(of: Double.self)
    let agrees = zip(wide, shares).allSatisfy { abs($0 - Double($1)) < 1e-6 }
    #expect(agrees)
  }

  @Test func largeScoresDoNotOverflow() throws {
    let x = floats([1000, 1000, -1000])
    #expect(try runNode("Softmax", [x])[0].floats == [0.5, 0.5, 0])
    #expect(try runNode("LogSoftmax", [x])[0].floats[2] == -2000 - log(Float(2)))
  }

  @Test func theFirstOfEqualsIsHardmax() throws {
    #expect(try runNode("Hardmax", [floats([1, 3, 3])])[0].floats == [0, 1, 0])
    let column = floats([2, 2], [2, 1])
    #expect(try runNode("Hardmax", [column], ["axis": .int(0)])[0].floats == [1, 0])
  }

  @Test func refusesMissingAxes() {
    #expect(
      problem("Softmax", [floats([1, 2])], ["axis": .int(1)])
        == "node: axis 1 is out of range; must be -1 to 0")
    #expect(problem("Softmax", [Tensor(scalar: Float(1))]).contains("scalar"))
  }

  @Test func emptyTensorsStayEmpty() throws {
    #expect(try runNode("Softmax", [floats([], [2, 0])])[0].shape == [2, 0])
    #expect(try runNode("LogSoftmax", [floats([], [0, 2])])[0].shape == [0, 2])
  }
}
