import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Datasets

/// A network that takes pictures of 4 × 4 pixels.
let pictureGraph = Graph(inputs: [
  .init("x", ValueType(.float32, ["N", 3, 4, 4]))
])

/// A network with two inputs.
let pairGraph = Graph(inputs: [
  .init("a", ValueType(.float32, ["N", 2])), .init("b", ValueType(.int64, ["N"])),
])

func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}

@Suite struct DatasetTests {
  private func pairs(_ count: Int, labels: [Int64]? = nil) -> [String: Tensor] {
    var arrays = [
      "a": Tensor((0..<2 * count).map(Float.init), shape: [count, 2]),
      "b": Tensor((0..<count).map { Int64($0) * 10 }),
    ]
    arrays["labels"] = labels.map { Tensor($0) }
    return arrays
  }

  @Test func batchesOfArrays() throws {
    let data = try Dataset(pairs(5, labels: [4, 3, 2, 1, 0]), for: pairGraph)
    #expect(data.count == 5 && data.labels == [4, 3, 2, 1, 0] && data.batchLength == nil)
    let neighbours = try data.batch(1..<3)
    #expect(neighbours["a"]!.elements(of: Float.self) == [2, 3, 4, 5])
    let apart = try data.batch([4, 0])
    #expect(apart["a"]!.elements(of: Float.self) == [8, 9, 0, 1])
    #expect(apart["b"]!.elements(of: Int64.self) == [40, 0])
    let part = data.subset([3, 1])
    #expect(part.labels == [1, 3])
    #expect(try part.batch([0])["b"]!.elements(of: Int64.self) == [30])
    #expect(data.prefix(2).count == 2 && data.prefix(9).count == 5)
  }

  @Test func fixedBatch() throws {
    let graph = Graph(inputs: [.init("a", ValueType(.float32, [2, 3]))])
    let data = try Dataset(["a": .zeros([5, 3], .float32)], for: graph)
    #expect(data.batchLength == 2)
    #expect(
      data.batches(of: 64) == [
        .init(indices: [0, 1], sampleCount: 2), .init(indices: [2, 3], sampleCount: 2),
        .init(indices: [4, 4], sampleCount: 1),
      ])
    #expect(try data.sample(at: 3)["a"]!.shape == [2, 3])
    let free = try Dataset(pairs(5), for: pairGraph)
    #expect(try free.sample(at: 3)["b"]!.elements(of: Int64.self) == [30])
    #expect(free.batches(of: 3).map(\.indices) == [[0, 1, 2], [3, 4]])
  }

  @Test func fedAlone() throws {
    let graph = Graph(inputs: [.init("ids", ValueType(.int64, [3]))])
    let data = try Dataset(
      ["ids": Tensor([1, 2, 3, 4, 5, 6] as [Int64], shape: [2, 3])], for: graph)
    #expect(data.count == 2 && data.batchLength == 1)
    let sample = try data.batch([1])["ids"]!
    #expect(sample.shape == [3] && sample.elements(of: Int64.self) == [4, 5, 6])
  }

  @Test func misfits() {
    func misfit(_ arrays: [String: Tensor]) -> String? {
      message { _ = try Dataset(arrays, for: pairGraph) }
    }
    #expect(
      misfit(["a": .zeros([2, 2], .float32), "c": .zeros([2], .int64)])
        == "lacks 'b' and has 'c', which the network does not know; expected one array for each of "
        + "the inputs 'a', 'b', and 'labels' if you like")
    var arrays = pairs(3)
    arrays["a"] = .zeros([3, 2], .float64)
    #expect(
      misfit(arrays) == "a: is float64[3, 2]; the network takes float32, convert the array to it")
    arrays["a"] = .zeros([3, 5], .float32)
    #expect(
      misfit(arrays)
        == "a: is float32[3, 5]; the network takes float32[N, 2], the first axis the sample")
    arrays["a"] = .zeros([4, 2], .float32)
    #expect(
      misfit(arrays)
        == "the arrays have different numbers of samples on their first axis: "
        + "'a' float32[4, 2], 'b' int64[3]")
    #expect(misfit(pairs(0)) == "holds no samples; the first axis is the sample")
    #expect(
      misfit(pairs(3, labels: [1]))
        == "labels: is int64[1]; expected int64[3], one class number a sample")
  }

  @Test func archiveAndArray() throws {
    let folder = try TemporaryFolder()
    try writeNumPyArchive(pairs(3, labels: [0, 1, 0]), to: folder.file("d.npz"))
    let data = try Dataset(contentsOf: folder.file("d.npz"), for: pairGraph)
    #expect(data.labels == [0, 1, 0])
    #expect(
      data.describedPreprocessing
        == "3 samples with labels; used as they are: a float32[3, 2], b int64[3]")
    try writeNumPy(.zeros([3, 2], .float32), to: folder.file("d.npy"))
    #expect(
      message { _ = try Dataset(contentsOf: folder.file("d.npy"), for: pairGraph) }
        == "\(folder.file("d.npy")): is one array, the network has 2 inputs ('a', 'b'); "
        + "give them as .npz")
    let one = Graph(inputs: [.init("a", ValueType(.float32, ["N", 2]))])
    #expect(try Dataset(contentsOf: folder.file("d.npy"), for: one).count == 3)
    #expect(
      message {
        _ = try Dataset(
          contentsOf: folder.file("d.npz"), for: pairGraph, preprocessing: .init())
      }
        == "\(folder.file("d.npz")): holds arrays, which are used as they are; "
        + "leave the preprocessing out")
  }

  @Test func unknownKind() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("x".utf8, to: "data.bin")
    #expect(
      message { _ = try Dataset(contentsOf: path, for: pairGraph) }?.hasPrefix(
        "\(path): is no data of a known kind; there are picture folder (") == true)
    #expect(
      message { _ = try Dataset(contentsOf: "/nowhere", for: pairGraph) }
        == "/nowhere: can't be read: no such file or directory; check the path and its permissions")
  }
}

@Suite struct SplitTests {
  /// 90 samples of class 0 and 10 of class 1.
  private func data(labelled: Bool = true) throws -> Dataset {
    let graph = Graph(inputs: [.init("a", ValueType(.int64, ["N"]))])
    var arrays = ["a": Tensor((0..<100).map { Int64($0) })]
    if labelled { arrays["labels"] = Tensor((0..<100).map { Int64($0 % 10 == 0 ? 1 : 0) }) }
    return try Dataset(arrays, for: graph)
  }

  private func members(_ data: Dataset) throws -> [Int] {
    data.count == 0 ? [] : try data.batch(0..<data.count)["a"]!.integers()
  }

  @Test(arguments: [true, false], [0, 1, 42] as [UInt64])
  func partsAreDisjointAndComplete(_ labelled: Bool, _ seed: UInt64) throws {
    let parts = try data(labelled: labelled).split(fractions: [0.5, 0.3, 0.2], seed: seed)
    #expect(parts.map(\.count) == [50, 30, 20])
    let all = try parts.flatMap { try members($0) }
    #expect(all.sorted() == Array(0..<100))
    let again = try data(labelled: labelled).split(fractions: [0.5, 0.3, 0.2], seed: seed)
    #expect(try again.map { try members($0) } == parts.map { try members($0) })
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func everyClassHasItsShare(_ seed: UInt64) throws {
    for part in try data().split(counts: [40, 30, 30], seed: seed) {
      let ones = part.labels!.reduce(0, +)
      #expect(abs(ones - part.count / 10) <= 1)
    }
    #expect(try (1...2).contains(data().sample(15, seed: seed).labels!.reduce(0, +)))
  }

  @Test func seedsDiffer() throws {
    let samples = try [1, 2].map { try members(data().sample(20, seed: $0)) }
    #expect(samples[0] != samples[1])
    #expect(try members(data().sample(1000, seed: 1)) == Array(0..<100))
  }

  @Test func tooFew() throws {
    #expect(
      message { _ = try data().split(counts: [90, 20], seed: 0) }
        == "parts of 90 + 20 samples are asked for, there are 100; ask for fewer or give more data")
    #expect(
      message { _ = try data().prefix(3).split(fractions: [0.1, 0.9], seed: 0) }
        == "a share of 0.1 of 3 samples is none; give more data or a larger share")
  }
}
