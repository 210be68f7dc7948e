import Tensors
import Testing

@Suite struct ShapeTests {
  @Test func countIsTheProduct() {
    #expect(Shape([2, 3, 4]).count == 24)
    #expect(Shape([]).count == 1)
    #expect(Shape([5, 0, 7]).count == 0)
  }

  @Test func stridesAreRowMajor() {
    #expect(Shape([2, 3, 4]).strides == [12, 4, 1])
    #expect(Shape([]).strides == [])
  }

  @Test(arguments: [[-1], [Int.max, 2], [1 << 40, 1 << 40], [0, -3]])
  func refusesWhatCannotBe(_ lengths: [Int]) {
    #expect(Shape(checking: lengths) == nil)
  }

  @Test func overflowBehindAZeroIsStillRefused() {
    #expect(Shape(checking: [0, 1 << 40, 1 << 40]) == nil)
  }

  @Test func negativeAxesCountFromTheEnd() { #expect(Shape([2, 3, 4])[-1] == 4) }
}
