import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Datasets

private func input(_ dimensions: [Dimension]) -> Graph.Value {
  Graph.Value("pixels", ValueType(.float32, dimensions))
}

@Suite struct PreprocessingTests {
  @Test func everyKey() throws {
    let preprocessing = try Preprocessing(
      yaml: """
        size: [192, 160]
        resize: 256
        crop: [192, 160]
        interpolation: nearest
        channels: bgr
        scale: 1
        mean: [1, 2, 3.5]
        std: 4
        layout: nhwc
        """)
    var expected = Preprocessing()
    expected.size = [192, 160]
    expected.resize = .shortSide(256)
    expected.crop = .size(height: 192, width: 160)
    expected.interpolation = .nearest
    expected.channels = .bgr
    expected.scale = 1
    expected.mean = [1, 2, 3.5]
    expected.std = [4]
    expected.layout = .nhwc
    #expect(preprocessing == expected)
  }

  static let wrong: [(String, String)] = [
    (
      "sise: 3",
      "unknown key 'sise'; the keys are preset, size, resize, crop, interpolation, channels, scale, "
        + "mean, std, layout"
    ),
    ("scale: big", "scale is 'big'; expected a number"),
    ("scale: 0", "scale is 0.0; must be more than 0"),
    ("size: 3", "size is '3'; expected [height, width]"),
    ("size: [0, 4]", "size is [0, 4]; must be 1 to 32768 pixels"),
    ("crop: 1.5", "crop is 1.5; must be a fraction up to 1.0, or a number of pixels"),
    ("crop: 224", "crop is given in pixels, which needs resize; give resize as well"),
    ("interpolation: sinc", "interpolation is 'sinc'; expected bicubic, bilinear, nearest"),
    ("channels: [r, g]", "channels is a list; expected rgb, bgr, gray"),
    (
      "channels: rgb\nmean: [1, 2]",
      "mean is [1.0, 2.0]; must be one number, or one for each of 3 channels"
    ),
    ("mean: []", "mean is a list; expected a number or a list of numbers"),
    ("mean: .nan", "mean is [nan]; must be numbers"),
    ("std: [1, 0, 1]", "std is [1.0, 0.0, 1.0]; must be other than 0"),
    ("- 3", "holds no keys; expected lines as in 'scale: 255'"),
    (
      "resize: 9\ncrop: 0.5",
      "crop is a fraction, which is cut before resizing to size: leave resize out, or give crop in pixels"
    ),
    (
      "preset: imagnet",
      "there is no preprocessing 'imagnet'; there are unit, signed-unit, imagenet, efficientnet-lite, caffe"
    ),
  ]

  @Test(arguments: wrong) func wrongSettings(_ yaml: String, _ message: String) {
    let error = #expect(throws: DatasetError.self) { _ = try Preprocessing(yaml: yaml) }
    #expect(error?.message == message)
  }

  @Test func notYAML() {
    let error = #expect(throws: DatasetError.self) { _ = try Preprocessing(yaml: "a: [") }
    #expect(error?.message.hasPrefix("is not YAML: ") == true)
    #expect(error?.message.contains("\n") == false)
  }

  @Test(arguments: Preprocessing.presets.map(\.name)) func presets(_ name: String) throws {
    let preprocessing = try Preprocessing(named: name).resolved(for: input([1, 3, 224, 224]))
    #expect(preprocessing.size == [224, 224] && preprocessing.layout == .nchw)
    #expect(try Preprocessing(yaml: "preset: \(name)") == Preprocessing(named: name))
  }

  @Test func resolving() throws {
    let gray = try Preprocessing().resolved(for: input(["N", 28, 30, 1]))
    #expect(gray.channels == .gray && gray.layout == .nhwc && gray.size == [28, 30])
    var sized = Preprocessing()
    sized.size = [5, 6]
    #expect(try sized.resolved(for: input(["N", 3, "H", "W"])).size == [5, 6])
  }

  static let mismatches: [(String, [Dimension], String)] = [
    ("", [1, 10], "is float32[1, 10], pictures need four axes; give the data as .npz"),
    (
      "", [1, 7, 9, 9],
      "is float32[1, 7, 9, 9], of which no axis is of 1 or 3 channels; give layout and channels"
    ),
    (
      "channels: gray", [1, 3, 9, 9],
      "is float32[1, 3, 9, 9], with 3 channels; pictures in gray have 1"
    ),
    (
      "", [1, 3, "H", "W"],
      "is float32[1, 3, H, W], which does not say how large pictures are; give size: [height, width]"
    ),
    (
      "preset: imagenet", [1, 3, 9, 9],
      "is float32[1, 3, 9, 9], the preprocessing makes 224 × 224 pixels; change size, resize or crop"
    ),
    (
      "resize: 100", [1, 3, 128, 128],
      "resize gives 100 pixels for the short side, crop needs [128, 128]"
    ),
  ]

  @Test(arguments: mismatches)
  func mismatch(_ yaml: String, _ dimensions: [Dimension], _ message: String) throws {
    let preprocessing = try Preprocessing(yaml: yaml)
    let error = #expect(throws: DatasetError.self) {
      _ = try preprocessing.resolved(for: input(dimensions))
    }
    #expect(error?.description == "input pixels: \(message)")
  }

  @Test func descriptions() throws {
    let imagenet = try Preprocessing(named: "imagenet").resolved(for: input([1, 3, 224, 224]))
    #expect(
      imagenet.description
        == "short side resized to 256 (bilinear), the middle 224 × 224; rgb; "
        + "(pixel / 255.0 − [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]; nchw")
  }
}

@Suite struct PictureTransformTests {
  /// 4 × 2 pixels; red counts columns, green rows, blue is 9.
  private let picture = Picture(
    width: 4, height: 2, channels: 3,
    pixels: (0..<8).flatMap { [UInt8($0 % 4), UInt8($0 / 4), 9] })

  private func numbers(_ yaml: String, _ shape: [Dimension]) throws -> [Float] {
    let transform = PictureTransform(try Preprocessing(yaml: yaml).resolved(for: input(shape)))
    let framed = try transform.framed(picture)
    return Tensor(transform.shape(count: 1), of: Float.self) { transform.write(framed, to: $0) }
      .elements()
  }

  @Test func layouts() throws {
    let planes: [Float] =
      [0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 0, 0, 1, 1, 1, 1] + .init(repeating: 9, count: 8)
    #expect(try numbers("scale: 1", [1, 3, 2, 4]) == planes)
    let pixels: [Float] = (0..<8).flatMap { [9, Float($0 / 4), Float($0 % 4)] }
    #expect(try numbers("scale: 1\nchannels: bgr", [1, 2, 4, 3]) == pixels)
  }

  @Test func meanAndDeviation() throws {
    let values = try numbers("scale: 2\nmean: [1, 0, 3]\nstd: [1, 2, 0.5]", [1, 3, 2, 4])
    #expect(values[0] == -1 && values[3] == 0.5 && values[12] == 0.25 && values[16] == 3)
  }

  @Test func middle() throws {
    // The middle two columns.
    let values = try numbers("scale: 1\ncrop: 1.0", [1, 3, 2, 2])
    #expect(values[..<4] == [1, 2, 1, 2])
    let same = try numbers("scale: 1\nresize: 2\ncrop: 2", [1, 3, 2, 2])
    #expect(same == values)
  }

  @Test func greyPictureInColour() throws {
    let grey = Picture(width: 1, height: 1, channels: 1, pixels: [7])
    let transform = PictureTransform(
      try Preprocessing(yaml: "scale: 1").resolved(for: input([1, 3, 1, 1])))
    let tensor = Tensor([1, 3, 1, 1], of: Float.self) { transform.write(grey, to: $0) }
    #expect(tensor.elements(of: Float.self) == [7, 7, 7])
  }

  @Test func tooNarrow() throws {
    let line = Picture(
      width: 4000, height: 1, channels: 1, pixels: .init(repeating: 0, count: 4000))
    let transform = PictureTransform(
      try Preprocessing(named: "imagenet").resolved(for: input([1, 3, 224, 224])))
    let error = #expect(throws: DatasetError.self) { _ = try transform.framed(line) }
    #expect(error?.message == "is 4000 × 1 pixels, too narrow for a short side of 256")
  }
}
