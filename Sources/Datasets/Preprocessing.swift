public import Graphs
import Tensors

/// How a picture becomes a network's input: cut, resized, arranged, scaled.
///
/// In this order: a ``Crop/fraction(_:)`` is cut out, the picture is resized, a ``Crop/size(height:width:)`` is cut out,
/// colours are arranged, and each value becomes `(pixel / scale − mean) / std`. What is nil follows from the network's input.
public struct Preprocessing: Hashable, Sendable {
  /// To what length a picture is resized.
  public enum Resize: Hashable, Sendable {
    /// So that the shorter side has the given length; the longer one is rounded down.
    case shortSide(Int)
    /// To the given size, whatever the ratio of the sides was.
    case exact(height: Int, width: Int)
  }

  /// What is cut out of the middle of a picture.
  public enum Crop: Hashable, Sendable {
    /// Before resizing: the largest part with the ratio of the network's input, times the given fraction.
    case fraction(Double)
    /// After resizing: the given number of pixels.
    case size(height: Int, width: Int)
  }

  /// Which numbers a pixel becomes.
  public enum Channels: String, Hashable, Sendable, CaseIterable {
    case rgb
    case bgr
    /// One number: 0.299 red + 0.587 green + 0.114 blue.
    case gray

    /// How many numbers there are a pixel.
    public var count: Int { self == .gray ? 1 : 3 }
  }

  /// In which order a batch's axes stand.
  public enum Layout: String, Hashable, Sendable, CaseIterable {
    /// Sample, channel, row, column.
    case nchw
    /// Sample, row, column, channel.
    case nhwc
  }

  /// Rows and columns of the network's input.
  public var size: [Int]?
  /// To what length pictures are resized; nil: to ``size``.
  public var resize: Resize?
  /// What is cut out; nil: the whole picture is kept, though its ratio changes where it differs from ``size``.
  public var crop: Crop?
  /// How pixels are made when resizing.
  public var interpolation = Interpolation.bilinear
  /// Which numbers a pixel becomes.
  public var channels: Channels?
  /// What pixels, 0 to 255, are divided by.
  public var scale = 255.0
  /// What is then subtracted: one number, or one a channel in the order of ``channels``.
  public var mean = [0.0]
  /// What the result is then divided by: one number, or one a channel.
  public var std = [1.0]
  /// In which order the axes stand.
  public var layout: Layout?

  /// The whole picture, from 0 to 1.
  public init() {}
}

// MARK: - Checks

extension Preprocessing {
  /// The longest side that a picture is resized to; a mistyped size must not ask for gigabytes.
  static let greatestSide = 1 << 15

  /// Throws ``DatasetError`` where settings are out of range or contradict each other.
  public func check() throws {
    if let size { try checkSides(size, "size") }
    switch resize {
    case .shortSide(let length): try checkSides([length], "resize")
    case .exact(let height, let width): try checkSides([height, width], "resize")
    case nil: break
    }
    try checkCrop()
    guard scale.isFinite, scale > 0 else { throw invalid("scale", "\(scale)", "more than 0") }
    for (name, values) in [("mean", mean), ("std", std)] {
      let count = channels?.count ?? 3
      guard values.count == 1 || values.count == count else {
        throw invalid(name, "\(values)", "one number, or one for each of \(count) channels")
      }
      guard values.allSatisfy(\.isFinite), !values.isEmpty else {
        throw invalid(name, "\(values)", "numbers")
      }
    }
    guard !std.contains(0) else { throw invalid("std", "\(std)", "other than 0") }
  }

  private func checkCrop() throws {
    switch crop {
    case .fraction(let fraction):
      guard fraction > 0, fraction <= 1 else {
        throw invalid("crop", "\(fraction)", "a fraction up to 1.0, or a number of pixels")
      }
      guard resize == nil else {
        throw DatasetError(
          .invalidSetting,
          "crop is a fraction, which is cut before resizing to size: leave resize out, or give "
            + "crop in pixels")
      }
    case .size(let height, let width):
      try checkSides([height, width], "crop")
      guard resize != nil else {
        throw DatasetError(
          .invalidSetting, "crop is given in pixels, which needs resize; give resize as well")
      }
      if let size, size != [height, width] {
        throw DatasetError(
          .invalidSetting,
          "crop gives \(height) × \(width) pixels, size says \(size[0]) × \(size[1]); leave one out"
        )
      }
    case nil: break
    }
  }

  private func checkSides(_ sides: [Int], _ name: String) throws {
    guard sides.allSatisfy({ (1...Self.greatestSide).contains($0) }) else {
      throw invalid(name, "\(sides)", "1 to \(Self.greatestSide) pixels")
    }
  }

  private func invalid(_ name: String, _ found: String, _ expected: String) -> DatasetError {
    DatasetError(.invalidSetting, "\(name) is \(found); must be \(expected)")
  }
}

// MARK: - Fitting to a network

extension Preprocessing {
  /// The preprocessing with everything that was left open filled in from a network's input.
  ///
  /// Throws ``DatasetError`` where the input is no picture, or a setting contradicts its shape.
  public func resolved(for input: Graph.Value) throws -> Preprocessing {
    try located("input \(input.name)") {
      guard let dimensions = input.type.dimensions, dimensions.count == 4 else {
        throw DatasetError(
          .mismatch, "is \(input.type), pictures need four axes; give the data as .npz")
      }
      var resolved = self
      resolved.layout = try layout ?? Self.layout(of: input)
      let axes = resolved.layout == .nchw ? (1, 2, 3) : (3, 1, 2)
      let channelCount = dimensions[axes.0].length
      resolved.channels = channels ?? (channelCount == 1 ? .gray : .rgb)
      guard channelCount == nil || channelCount == resolved.channels?.count else {
        throw DatasetError(
          .mismatch,
          "is \(input.type), with \(channelCount!) channels; pictures in "
            + "\(resolved.channels!.rawValue) have \(resolved.channels!.count)")
      }
      if case .size(let height, let width)? = crop { resolved.size = [height, width] }
      if case .exact(let height, let width)? = resize, crop == nil, size == nil {
        resolved.size = [height, width]
      }
      let expected = [dimensions[axes.1].length, dimensions[axes.2].length]
      let own = resolved.size
      let size = zip(expected, own.map { $0.map(Optional.init) } ?? [nil, nil])
        .map { $0 ?? $1 }
      guard let height = size[0], let width = size[1] else {
        throw DatasetError(
          .mismatch,
          "is \(input.type), which does not say how large pictures are; give size: [height, width]")
      }
      guard own == nil || own == [height, width] else {
        throw DatasetError(
          .mismatch,
          "is \(input.type), the preprocessing makes \(own![0]) × \(own![1]) pixels; "
            + "change size, resize or crop")
      }
      resolved.size = [height, width]
      try resolved.check()
      try resolved.checkResizing()
      return resolved
    }
  }

  private static func layout(of input: Graph.Value) throws -> Layout {
    let dimensions = input.type.dimensions ?? []
    let isFirst = [1, 3].contains(dimensions[1].length)
    let isLast = [1, 3].contains(dimensions[3].length)
    if isFirst { return .nchw }
    if isLast { return .nhwc }
    throw DatasetError(
      .mismatch,
      "is \(input.type), of which no axis is of 1 or 3 channels; give layout and channels")
  }

  /// Whether what resizing leaves is what the network takes.
  private func checkResizing() throws {
    guard let size else { return }
    switch (resize, crop) {
    case (.exact(let height, let width)?, nil) where [height, width] != size:
      throw DatasetError(
        .invalidSetting,
        "resize gives \(height) × \(width) pixels, the network takes \(size[0]) × \(size[1])")
    case (.exact(let height, let width)?, _?) where height < size[0] || width < size[1]:
      throw DatasetError(
        .invalidSetting, "crop is larger than what resize gives, \(height) × \(width) pixels")
    case (.shortSide(let length)?, _) where length < size.max()!:
      throw DatasetError(
        .invalidSetting, "resize gives \(length) pixels for the short side, crop needs \(size)")
    default: break
    }
  }
}

extension Preprocessing: CustomStringConvertible {
  /// The steps in words, as in `centre 224 × 224 of short side 256 (bilinear), rgb, (x/255 − …) / …, nchw`.
  public var description: String {
    let target = size.map { "\($0[0]) × \($0[1])" } ?? "the network's size"
    let steps: String
    switch (resize, crop) {
    case (nil, .fraction(let fraction)?):
      let part = fraction == 1 ? "the middle" : "the middle \((fraction * 1000).rounded() / 10) %"
      steps = "\(part) resized to \(target) (\(interpolation.rawValue))"
    case (.shortSide(let length)?, _):
      steps = "short side resized to \(length) (\(interpolation.rawValue)), the middle \(target)"
    case (.exact(let height, let width)?, _?):
      steps = "resized to \(height) × \(width) (\(interpolation.rawValue)), the middle \(target)"
    default: steps = "resized to \(target) (\(interpolation.rawValue))"
    }
    func list(_ values: [Double]) -> String {
      values.count == 1 ? "\(values[0])" : "[\(values.map { "\($0)" }.joined(separator: ", "))]"
    }
    var value = scale == 1 ? "pixel" : "pixel / \(scale)"
    if mean != [0] { value = "(\(value) − \(list(mean)))" }
    if std != [1] { value += " / \(list(std))" }
    return [steps, channels?.rawValue, value, layout?.rawValue].compactMap { $0 }
      .joined(separator: "; ")
  }
}
