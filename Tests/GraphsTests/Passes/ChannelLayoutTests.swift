import Graphs
import Tensors
import Testing

@Suite struct ChannelLayoutTests {
  @Test func everyElementOnceInOrder() {
    let layout = ChannelLayout(groups: 2, rows: 3, channels: 4, inner: 5)
    var seen: [Int] = []
    var channels: Set<Int> = []
    layout.forEachRun { channel, elements in
      seen += elements
      channels.insert(channel)
      let expected = elements.lowerBound / 60 * 4 + elements.lowerBound / 5 % 4
      #expect(channel == expected)
    }
    #expect(seen == Array(0..<120))
    #expect(channels == Set(0..<8))
    #expect(layout.count == 8)
  }

  @Test func magnitudesAndScaling() {
    let layout = ChannelLayout(rows: 2, channels: 2)
    let tensor = Tensor([Float(1), -2, -3, 4], shape: [2, 2])
    #expect(layout.magnitudes(of: tensor) == [3, 4])
    #expect(layout.scaled(tensor, by: [2, 0.5]).elements(of: Float.self) == [2, -1, -6, 2])
  }
}
