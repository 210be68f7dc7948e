import Tensors

extension Preprocessing {
  /// A preprocessing that has a name.
  public struct Preset: Sendable {
    /// What it is called.
    public let name: String
    /// What it is for, in one sentence.
    public let purpose: String
    /// Its settings, as a file of one's own would have them.
    public let yaml: String
  }

  /// Every preset.
  public static let presets = [
    Preset(
      name: "unit", purpose: "Values from 0 to 1.",
      yaml: """
        crop: 1.0
        interpolation: bilinear
        scale: 255
        """),
    Preset(
      name: "signed-unit", purpose: "Values from −1 to 1.",
      yaml: """
        crop: 1.0
        interpolation: bilinear
        scale: 127.5
        mean: [1]
        """),
    Preset(
      name: "imagenet",
      purpose: "ResNet, DenseNet, VGG and the like as torchvision trains them.",
      yaml: """
        resize: 256
        crop: 224
        interpolation: bilinear
        channels: rgb
        scale: 255
        mean: [0.485, 0.456, 0.406]
        std: [0.229, 0.224, 0.225]
        """),
    Preset(
      name: "efficientnet-lite", purpose: "EfficientNet-Lite0: (x − 127) / 128.",
      yaml: """
        crop: 0.875
        interpolation: bicubic
        channels: rgb
        scale: 1
        mean: [127]
        std: [128]
        """),
    Preset(
      name: "caffe", purpose: "Networks that came from Caffe: BGR, means subtracted, not scaled.",
      yaml: """
        resize: 256
        crop: 224
        interpolation: bilinear
        channels: bgr
        scale: 1
        mean: [103.939, 116.779, 123.68]
        """),
  ]

  /// The settings of a preset. Throws ``DatasetError`` that lists the names there are.
  public init(named name: String) throws {
    guard let preset = Self.presets.first(where: { $0.name == name }) else {
      let names = Self.presets.map(\.name).joined(separator: ", ")
      throw DatasetError(
        .invalidSetting, "there is no preprocessing '\(name)'; there are \(names)")
    }
    try self.init(yaml: preset.yaml)
  }
}
