import Datasets
import Evaluation
import Execution
import Foundation
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

/// Networks that were really trained, judged from their files to their accuracy.
@Suite struct RealNetworkTests {
  private static let project = TestSupport.fixture("../..")
  private static let efficientNet = project + "/.models/efficientnet-lite0.onnx"
  private static let photographs = project + "/.models/imagenet20"

  /// ONNX Runtime reaches 94.50 % on all 2,000 images of the example; here are the first 500.
  @Test func fashionMNIST() throws {
    let example = Self.project + "/Examples/FashionMNIST"
    let model = try Model(contentsOf: example + "/model.onnx")
    let data = try Dataset(
      contentsOf: example + "/test-images.idx3-ubyte.gz", for: model.graph,
      preprocessing: try Preprocessing(contentsOf: example + "/preprocessing.yaml")
    ).prefix(500)
    #expect(data.count == 500 && data.labels?.count == 500)
    let result = try evaluate(
      try Interpreter(model), on: data, metrics: [.top1], batchSize: 50)
    #expect(result.values[.top1] == 0.94)
  }

  /// What the weights' package reaches with Pillow's preprocessing: top-1 18 of 20, top-5 19 of 20.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: efficientNet)))
  func efficientNetLite0() throws {
    let model = try Model(contentsOf: Self.efficientNet)
    let data = try Dataset(
      contentsOf: Self.photographs, for: model.graph,
      preprocessing: try Preprocessing(named: "efficientnet-lite"))
    #expect(data.count == 20)
    let result = try evaluate(
      try Interpreter(model), on: data, metrics: [.top1, .top5], batchSize: 1)
    #expect(result.values == [.top1: 0.9, .top5: 0.95])
  }
}
