public import ArgumentParser
import Foundation
public import Tessera

/// How pictures become inputs of a network.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How pictures become inputs: a YAML file or a name.", discussion: "Names: \(presetNames).",
      valueName: "file|name"))
  var preprocessing: String?

  @Option(help: ArgumentHelp("Height and width of the input.", valueName: "HxW"))
  var size: String?

  @Option(help: "Scale pictures so that the short side has so many pixels.")
  var resize: Int?

  @Option(help: ArgumentHelp("Then cut this much from the centre.", valueName: "HxW"))
  var crop: String?

  @Option(help: "How pictures are scaled.")
  var interpolation: Interpolation?

  @Option(help: "The order of the channels.")
  var channels: Preprocessing.Channels?

  @Option(help: "What pixels are divided by, before mean and std.")
  var scale: Double?

  @Option(help: ArgumentHelp("What is subtracted, for all or each channel.", valueName: "a,b,c"))
  var mean: String?

  @Option(help: ArgumentHelp("What is divided by, for all or each channel.", valueName: "a,b,c"))
  var std: String?

  @Option(help: "The order of an input's axes.")
  var layout: Preprocessing.Layout?

  /// The data in files or folders, as the inputs of a network; nil where there is no path.
  ///
  /// The preprocessing goes to pictures alone; where none of the data are pictures it is an error.
  static func datasets(
    at paths: [String?], for graph: Graph, _ preprocessing: Preprocessing?
  ) throws -> [Dataset?] {
    let hasPictures = paths.contains { $0.map(Dataset.holdsPictures) ?? false }
    return try paths.map { path in
      try path.map {
        let isForIt = Dataset.holdsPictures(at: $0) || !hasPictures
        return try Dataset(
          contentsOf: $0, for: graph, preprocessing: isForIt ? preprocessing : nil)
      }
    }
  }

  /// What to warn of where no preprocessing was given and pictures had to become inputs all the same.
  static func warnings(of datasets: [Dataset?]) -> [String] {
    guard datasets.contains(where: { $0?.assumesPreprocessing ?? false }) else { return [] }
    return [
      "no preprocessing was given, so it was assumed; where the network was trained with another, "
        + "ranges and accuracy are wrong: give --preprocessing (\(presetNames), or a YAML file)"
    ]
  }

  private static var presetNames: String {
    Preprocessing.presets.map(\.name).joined(separator: ", ")
  }

  /// What was asked for, nil where nothing was: it then follows from the network.
  func resolved() throws -> Preprocessing? {
    let isSilent =
      preprocessing == nil && size == nil && resize == nil && crop == nil && interpolation == nil
      && channels == nil && scale == nil && mean == nil && std == nil && layout == nil
    if isSilent { return nil }
    var result = try named() ?? Preprocessing()
    if let size { result.size = try Self.lengths(size, "--size") }
    if let resize { result.resize = .shortSide(resize) }
    if let crop {
      let lengths = try Self.lengths(crop, "--crop")
      result.crop = .size(height: lengths[0], width: lengths[1])
    }
    if let interpolation { result.interpolation = interpolation }
    if let channels { result.channels = channels }
    if let scale { result.scale = scale }
    if let mean { result.mean = try Self.numbers(mean, "--mean") }
    if let std { result.std = try Self.numbers(std, "--std") }
    if let layout { result.layout = layout }
    do {
      try result.check()
    } catch let error as DatasetError {
      // Messages begin with the setting, which is the option's name.
      throw ValidationError("--\(error.message)")
    }
    return result
  }

  private func named() throws -> Preprocessing? {
    guard let preprocessing else { return nil }
    if Preprocessing.presets.contains(where: { $0.name == preprocessing }) {
      return try Preprocessing(named: preprocessing)
    }
    guard
      preprocessing.contains("/") || preprocessing.hasSuffix(".yaml")
        || preprocessing.hasSuffix(".yml") || FileManager.default.fileExists(atPath: preprocessing)
    else {
      throw ValidationError(
        "--preprocessing '\(preprocessing)' is not known; known are \(Self.presetNames), or give a "
          + "YAML file")
    }
    return try Preprocessing(contentsOf: preprocessing)
  }

  private static func lengths(_ text: String, _ option: String) throws -> [Int] {
    let lengths = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard lengths.count == 2, lengths.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("\(option) is '\(text)'; give height and width, as in 224x224")
    }
    return lengths
  }

  private static func numbers(_ text: String, _ option: String) throws -> [Double] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
    guard numbers.count == parts.count else {
      throw ValidationError("\(option) is '\(text)'; give numbers, as in 0.485,0.456,0.406")
    }
    return numbers
  }
}

/// Refuses negative counts.
func checkCount(_ count: Int, _ option: String) throws {
  guard count >= 0 else { throw ValidationError("\(option) is \(count); must be 0 or more") }
}

/// Refuses to work on no sample at all.
func checkSampleCount(_ count: Int) throws {
  guard count > 0 else { throw ValidationError("--samples must be 1 or more") }
}

extension Interpolation: ExpressibleByArgument {}
extension Preprocessing.Channels: ExpressibleByArgument {}
extension Preprocessing.Layout: ExpressibleByArgument {}
