import Tensors

/// Where a dataset's samples come from.
protocol DatasetSource: Sendable {
  /// The number of samples.
  var count: Int { get }
  /// The class of each sample, nil where none is known.
  var labels: [Int]? { get }
  /// The name of each class by its number, where classes have names.
  var classNames: [String]? { get }
  /// What the samples are, in a few words.
  var title: String { get }
  /// How they become inputs, in one line.
  var conversion: String { get }
  /// Whether samples are pictures and how they become inputs was not told but derived from the network.
  var assumesPreprocessing: Bool { get }
  /// What the sample at an index is called in messages, as in `sample 3`.
  func name(at index: Int) -> String
  /// Where the label of the sample at an index stands, as in `line 3 of labels.csv`.
  func labelPlace(at index: Int) -> String

  /// The number of samples that the network takes at once, nil where any number will do.
  var batchLength: Int? { get }

  /// The inputs of a network for the samples at `indices`, in that order.
  func batch(_ indices: [Int]) throws -> [String: Tensor]
}

extension DatasetSource {
  func name(at index: Int) -> String { "sample \(index)" }
  func labelPlace(at index: Int) -> String { name(at: index) }
}
