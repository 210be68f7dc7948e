import Tensors
import Yams

extension Preprocessing {
  /// The settings in a YAML file. Throws ``DatasetError`` for unknown keys and wrong values, ``FileError``.
  public init(contentsOf path: String) throws {
    let file = try MappedFile(path: path)
    self = try located(path) {
      guard file.byteCount <= Self.greatestYAMLByteCount else {
        throw DatasetError(.invalidFile, "is \(file.byteCount) bytes long; is it a YAML file?")
      }
      return try Preprocessing(yaml: String(decoding: file.bytes, as: UTF8.self))
    }
  }

  /// Settings are a few lines; anything longer is another kind of file.
  private static let greatestYAMLByteCount = 1 << 16

  /// The settings in a YAML text. Throws ``DatasetError`` for unknown keys and wrong values.
  ///
  /// Keys: `preset` (what the others change), `size: [height, width]`, `resize: short side or [height, width]`,
  /// `crop: fraction, pixels or [height, width]`, `interpolation`, `channels`, `scale`, `mean`, `std`, `layout`.
  public init(yaml: String) throws {
    var settings = try Self.settings(yaml)
    let known = Self.keys.map(\.name)
    for key in settings.keys.sorted() where !(known + ["preset"]).contains(key) {
      throw DatasetError(
        .invalidSetting,
        "unknown key '\(key)'; the keys are preset, \(known.joined(separator: ", "))")
    }
    self.init()
    if let preset = settings.removeValue(forKey: "preset") {
      guard let name = preset.string else { throw Self.wrong("preset", preset, "a name") }
      self = try Preprocessing(named: name)
    }
    for key in Self.keys {
      if let value = settings[key.name] { try key.read(&self, value) }
    }
    try check()
  }

  private static func settings(_ yaml: String) throws -> [String: Node] {
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      let reason = "\(error)".split(separator: "\n").first.map(String.init) ?? ""
      throw DatasetError(.invalidSetting, "is not YAML: \(reason)")
    }
    guard let root else { return [:] }
    guard let mapping = root.mapping else {
      throw DatasetError(.invalidSetting, "holds no keys; expected lines as in 'scale: 255'")
    }
    var settings: [String: Node] = [:]
    for (key, value) in mapping {
      guard let name = key.string else {
        throw DatasetError(.invalidSetting, "holds a key that is no word")
      }
      settings[name] = value
    }
    return settings
  }

  // MARK: - Keys

  private struct Key: Sendable {
    let name: String
    let read: @Sendable (inout Preprocessing, Node) throws -> Void
  }

  private static let keys: [Key] = [
    Key(name: "size") { $0.size = try sides("size", $1) },
    Key(name: "resize") { settings, node in
      if let length = node.int {
        settings.resize = .shortSide(length)
      } else {
        let sides = try sides("resize", node)
        settings.resize = .exact(height: sides[0], width: sides[1])
      }
    },
    Key(name: "crop") { settings, node in
      // A number with a point is a fraction: 1.0 is everything, 1 is one pixel.
      if let pixels = node.int {
        settings.crop = .size(height: pixels, width: pixels)
      } else if let fraction = node.float {
        settings.crop = .fraction(fraction)
      } else {
        let sides = try sides("crop", node)
        settings.crop = .size(height: sides[0], width: sides[1])
      }
    },
    Key(name: "interpolation") { $0.interpolation = try choice("interpolation", $1) },
    Key(name: "channels") { $0.channels = try choice("channels", $1) },
    Key(name: "scale") { settings, node in
      guard let scale = node.float else { throw wrong("scale", node, "a number") }
      settings.scale = scale
    },
    Key(name: "mean") { $0.mean = try numbers("mean", $1) },
    Key(name: "std") { $0.std = try numbers("std", $1) },
    Key(name: "layout") { $0.layout = try choice("layout", $1) },
  ]

  private static func sides(_ key: String, _ node: Node) throws -> [Int] {
    let sides = node.sequence.map { Array($0).compactMap(\.int) } ?? []
    guard sides.count == 2, node.sequence?.count == 2 else {
      throw wrong(key, node, "[height, width]")
    }
    return sides
  }

  private static func numbers(_ key: String, _ node: Node) throws -> [Double] {
    if let number = node.float { return [number] }
    let numbers = node.sequence.map { Array($0).compactMap(\.float) } ?? []
    guard !numbers.isEmpty, numbers.count == node.sequence?.count else {
      throw wrong(key, node, "a number or a list of numbers")
    }
    return numbers
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, _ node: Node
  ) throws -> Choice where Choice.RawValue == String {
    guard let name = node.string, let choice = Choice(rawValue: name) else {
      throw wrong(key, node, Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  private static func wrong(_ key: String, _ node: Node, _ expected: String) -> DatasetError {
    let found = node.scalar.map { "'\($0.string)'" } ?? (node.mapping != nil ? "keys" : "a list")
    return DatasetError(.invalidSetting, "\(key) is \(found); expected \(expected)")
  }
}
