import Graphs
import NumberFormats
import Tensors

/// Pictures, each decoded and preprocessed when it is asked for.
struct PictureSource: DatasetSource {
  /// What the pictures are, as in `16 pictures in photos`.
  let title: String
  let count: Int
  let labels: [Int]?
  let classNames: [String]?
  let conversion: String
  let assumesPreprocessing: Bool
  let batchLength: Int?
  private let names: [String]?
  private let labelPlace: (@Sendable (Int) -> String)?
  private let input: Graph.Value
  private let transform: PictureTransform
  private let picture: @Sendable (Int) throws -> Picture

  /// - Parameters:
  ///   - names: what the pictures are called; nil: they are numbered.
  ///   - labelPlace: where the label of an index stands; nil: at the picture.
  ///   - preprocessing: nil derives it from the network's input, which the summary says.
  ///   - picture: decodes the picture of an index; its errors name the picture.
  init(
    _ title: String, count: Int, labels: [Int]?, classNames: [String]? = nil,
    names: [String]? = nil, labelPlace: (@Sendable (Int) -> String)? = nil, for graph: Graph,
    _ preprocessing: Preprocessing?,
    picture: @escaping @Sendable (Int) throws -> Picture
  ) throws {
    let inputs = graph.givenInputs
    guard let input = inputs.first, inputs.count == 1 else {
      let list = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
      throw DatasetError(
        .mismatch,
        "pictures fill one input, the network has \(inputs.count) (\(list)); give the data as .npz")
    }
    let type = input.type.elementType ?? .float32
    guard type.convertsToFloat32 || type == .uint8 else {
      throw DatasetError(
        .mismatch,
        "is \(input.type); pictures become floating-point numbers or uint8: give the data as .npz",
        path: ["input \(input.name)"])
    }
    var assumed = Preprocessing()
    assumed.crop = .fraction(1)
    if type == .uint8 { assumed.scale = 1 }
    let resolved = try (preprocessing ?? assumed).resolved(for: input)
    let transform = PictureTransform(resolved)
    guard type != .uint8 || transform.yieldsLevels else {
      throw DatasetError(
        .mismatch,
        "is \(input.type); the preprocessing makes other numbers than whole ones from 0 to 255: "
          + "leave mean and std out and give scale: 1", path: ["input \(input.name)"])
    }
    self.title = title
    self.count = count
    self.labels = labels
    self.classNames = classNames
    self.names = names
    self.labelPlace = labelPlace
    self.input = input
    self.transform = transform
    self.picture = picture
    batchLength = ArraySource.batchLength([input])
    assumesPreprocessing = preprocessing == nil
    conversion =
      "\(resolved)"
      + (assumesPreprocessing ? "; assumed from input '\(input.name)' \(input.type)" : "")
  }

  func name(at index: Int) -> String { names?[index] ?? "sample \(index)" }

  func labelPlace(at index: Int) -> String { labelPlace?(index) ?? name(at: index) }

  func batch(_ indices: [Int]) throws -> [String: Tensor] {
    let sampleCount = transform.shape(count: 1).count
    var errors = [(any Error)?](repeating: nil, count: indices.count)
    let batch = Tensor(transform.shape(count: indices.count), of: Float.self) { target in
      errors.withUnsafeMutableBufferPointer { errors in
        // Each index writes to its own elements alone.
        nonisolated(unsafe) let errors = errors
        nonisolated(unsafe) let target = target
        parallelFor(indices.count) { place in
          let start = place * sampleCount
          do {
            let framed = try transform.framed(try picture(indices[place]))
            transform.write(
              framed, to: UnsafeMutableBufferPointer(rebasing: target[start..<start + sampleCount]))
          } catch {
            errors[place] = error
          }
        }
      }
    }
    if errors.contains(where: { $0 != nil }) { throw unreadable() }
    return [input.name: Self.converted(batch, to: input.type.elementType ?? .float32)]
  }

  /// One error that names every picture which can't be read: the whole dataset is gone through.
  private func unreadable() -> any Error {
    var errors = [(any Error)?](repeating: nil, count: count)
    errors.withUnsafeMutableBufferPointer { errors in
      nonisolated(unsafe) let errors = errors
      parallelFor(count) { index in
        do {
          _ = try transform.framed(try picture(index))
        } catch {
          errors[index] = error
        }
      }
    }
    let found = errors.compactMap { $0 }
    guard found.count != 1 else { return found[0] }
    return DatasetError(
      .invalidFile,
      "\(found.count) of \(counted(count, "picture")) can't be read; replace or remove them: "
        + found.map { "\($0)" }.joined(separator: "; "))
  }

  private static func converted(_ batch: Tensor, to type: ElementType) -> Tensor {
    switch type {
    case .uint8: levels(batch)
    case .float64: Tensor(batch.elements(of: Float.self).map(Double.init), shape: batch.shape)
    default: batch.rounded(to: type)
    }
  }

  private static func levels(_ batch: Tensor) -> Tensor {
    Tensor(batch.shape, of: UInt8.self) { target in
      batch.withElements(of: Float.self) { source in
        for index in source.indices { target[index] = UInt8(source[index]) }
      }
    }
  }
}
