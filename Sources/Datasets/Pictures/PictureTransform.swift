import Tensors

/// A ``Preprocessing`` made ready: where each picture is cut, and which number each level becomes.
struct PictureTransform: Sendable {
  let height: Int
  let width: Int
  let channels: Preprocessing.Channels
  let layout: Preprocessing.Layout
  private let resize: Preprocessing.Resize?
  private let crop: Preprocessing.Crop?
  private let interpolation: Interpolation
  /// For each channel, the number that each of the 256 levels becomes.
  private let values: [[Float]]

  /// Prepares a preprocessing that has been resolved for a network. Traps where size, channels or layout are open.
  init(_ preprocessing: Preprocessing) {
    guard let size = preprocessing.size, let channels = preprocessing.channels,
      let layout = preprocessing.layout
    else { preconditionFailure("preprocessing that no network's input has completed") }
    (height, width) = (size[0], size[1])
    self.channels = channels
    self.layout = layout
    resize = preprocessing.resize
    crop = preprocessing.crop
    interpolation = preprocessing.interpolation
    values = (0..<channels.count).map { channel in
      func setting(_ list: [Double]) -> Double { list.count == 1 ? list[0] : list[channel] }
      let (mean, std) = (setting(preprocessing.mean), setting(preprocessing.std))
      return (0..<256).map { Float((Double($0) / preprocessing.scale - mean) / std) }
    }
  }

  /// Whether all numbers are whole ones from 0 to 255.
  var yieldsLevels: Bool {
    values.joined().allSatisfy { (0...255).contains($0) && $0 == $0.rounded() }
  }

  /// The shape of a batch of `count` pictures.
  func shape(count: Int) -> Shape {
    layout == .nchw
      ? [count, channels.count, height, width] : [count, height, width, channels.count]
  }

  /// The picture as the network takes it, before its levels become numbers.
  ///
  /// Throws ``DatasetError`` where it is too long and narrow to be resized by its short side.
  func framed(_ picture: Picture) throws -> Picture {
    let picture = channels == .gray ? picture.grey() : picture
    switch (resize, crop) {
    case (let resize?, _): return middle(of: try resized(picture, resize))
    case (nil, .fraction(let fraction)?):
      let part = picture.cropped(to: middle(of: picture, fraction))
      return part.resized(width: width, height: height, interpolation)
    default: return picture.resized(width: width, height: height, interpolation)
    }
  }

  private func resized(_ picture: Picture, _ resize: Preprocessing.Resize) throws -> Picture {
    switch resize {
    case .exact(let height, let width):
      return picture.resized(width: width, height: height, interpolation)
    case .shortSide(let length):
      let isWide = picture.width > picture.height
      let long = max(picture.width, picture.height) * length / min(picture.width, picture.height)
      guard long <= Preprocessing.greatestSide else {
        throw DatasetError(
          .unsupported,
          "is \(picture.width) × \(picture.height) pixels, too narrow for a short side of \(length)"
        )
      }
      return picture.resized(
        width: isWide ? long : length, height: isWide ? length : long, interpolation)
    }
  }

  /// The middle of the network's size; where it can't be exact, as torchvision's `center_crop` places it.
  private func middle(of picture: Picture) -> Picture {
    func start(_ length: Int, _ kept: Int) -> Int {
      Int((Double(length - kept) / 2).rounded(.toNearestOrEven))
    }
    return picture.cropped(
      to: .init(
        left: start(picture.width, width), top: start(picture.height, height), width: width,
        height: height))
  }

  /// The largest part of the network's ratio, times `fraction`.
  private func middle(of picture: Picture, _ fraction: Double) -> Picture.Rectangle {
    let scale = min(
      Double(picture.width) / Double(width), Double(picture.height) / Double(height))
    func side(_ length: Int, _ target: Int) -> Int {
      min(max(Int((scale * fraction * Double(target)).rounded()), 1), length)
    }
    let (partWidth, partHeight) = (side(picture.width, width), side(picture.height, height))
    return .init(
      left: (picture.width - partWidth) / 2, top: (picture.height - partHeight) / 2,
      width: partWidth, height: partHeight)
  }

  /// Writes the numbers of a framed picture, as many as one sample of ``shape(count:)`` has.
  func write(_ picture: Picture, to target: UnsafeMutableBufferPointer<Float>) {
    let pixelCount = height * width
    precondition(picture.width == width && picture.height == height)
    precondition(target.count == pixelCount * channels.count)
    picture.pixels.withUnsafeBufferPointer { source in
      for channel in 0..<channels.count {
        let place = channels == .bgr ? 2 - channel : channel
        // Grey pictures have the same level in all channels.
        let (step, first) = picture.channels == 1 ? (1, 0) : (3, place)
        let (distance, start) =
          layout == .nchw ? (1, channel * pixelCount) : (channels.count, channel)
        values[channel].withUnsafeBufferPointer { values in
          for pixel in 0..<pixelCount {
            target[start + pixel * distance] = values[Int(source[first + pixel * step])]
          }
        }
      }
    }
  }
}
