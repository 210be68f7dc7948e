public import Tensors

/// Samples to run a network on, with or without labels.
///
/// A value type: parts of a dataset are datasets. Samples are read and decoded when a batch asks for them, so that memory is
/// bounded by the batch.
public struct Dataset: Sendable {
  private let source: any DatasetSource
  /// Which of the source's samples belong to it, in order.
  private let indices: [Int]

  /// The class of each sample, nil where none is known.
  public let labels: [Int]?

  /// The file or folder that the samples are from; nil where they are from memory.
  public let path: String?

  init(_ source: any DatasetSource, path: String? = nil) {
    self.init(source, path, indices: Array(0..<source.count))
  }

  private init(_ source: any DatasetSource, _ path: String?, indices: [Int]) {
    self.source = source
    self.path = path
    self.indices = indices
    labels = source.labels.map { labels in indices.map { labels[$0] } }
  }

  /// The number of samples.
  public var count: Int { indices.count }

  /// The name of each class by its number, where classes have names.
  public var classNames: [String]? { source.classNames }

  /// What the samples are and how they become the network's inputs, in one line, to be shown before the work.
  public var describedPreprocessing: String { "\(source.title); \(source.conversion)" }

  /// How samples become the network's inputs, in one line: ``describedPreprocessing`` without what they are.
  public var describedConversion: String { source.conversion }

  /// Whether samples are pictures and their preprocessing was not told but derived from the network's input, which may be
  /// another than the network was trained with.
  public var assumesPreprocessing: Bool { source.assumesPreprocessing }

  /// Whether the data at a path are pictures, which a preprocessing turns into inputs, rather than arrays, which are used as
  /// they are.
  public static func holdsPictures(at path: String) -> Bool {
    !path.hasSuffix(".npz") && !path.hasSuffix(".npy")
  }

  /// The number of samples that the network takes at once, nil where any number will do.
  public var batchLength: Int? { source.batchLength }

  /// The network's inputs for the samples at `indices`, one tensor per input, first axis the sample.
  ///
  /// Pictures are decoded on several threads. Throws ``DatasetError`` where samples can't be read, naming all that can't.
  public func batch(_ indices: some Collection<Int>) throws -> [String: Tensor] {
    precondition(!indices.isEmpty, "a batch without samples")
    return try source.batch(indices.map { self.indices[$0] })
  }

  /// The network's inputs for one sample, repeated where the network takes a fixed number at once.
  ///
  /// The same each time it is asked for. Throws as ``batch(_:)``.
  public func sample(at index: Int) throws -> [String: Tensor] {
    try batch(Array(repeating: index, count: batchLength ?? 1))
  }

  /// What a sample is called in messages: its picture, or its number in the file that it is from, as in `sample 3 of data.npz`.
  public func name(at index: Int) -> String {
    let name = source.name(at: indices[index])
    return path.map { "\(name) of \($0)" } ?? name
  }

  /// Where a sample's label stands, in messages that name the data: as in `line 3 of labels.csv`.
  func labelPlace(at index: Int) -> String { source.labelPlace(at: indices[index]) }

  /// The samples at the given indices, in that order.
  public func subset(_ indices: some Sequence<Int>) -> Dataset {
    Dataset(source, path, indices: indices.map { self.indices[$0] })
  }

  /// The first samples, all where there are fewer.
  public func prefix(_ count: Int) -> Dataset { subset(0..<Swift.min(count, self.count)) }
}

// MARK: - Batches

extension Dataset {
  /// Samples that are run together.
  public struct Batch: Sendable, Equatable {
    /// The samples, as ``Dataset/batch(_:)`` takes them.
    public let indices: [Int]
    /// How many of them count; the others repeat the last one, to fill up a batch of fixed length.
    public let sampleCount: Int
  }

  /// All samples in order, `count` at a time, or as many as the network takes where that is fixed.
  public func batches(of count: Int) -> [Batch] {
    precondition(count > 0, "batches of \(count)")
    let length = batchLength ?? count
    return stride(from: 0, to: self.count, by: length).map { start in
      let end = Swift.min(start + length, self.count)
      let missing = batchLength == nil ? 0 : length - (end - start)
      return Batch(
        indices: Array(start..<end) + Array(repeating: end - 1, count: missing),
        sampleCount: end - start)
    }
  }
}
