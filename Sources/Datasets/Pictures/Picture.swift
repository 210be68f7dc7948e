import CImageCodecs
import Tensors

/// A picture's pixels: rows from the top, each from the left, 1 (grey) or 3 (red, green, blue) bytes a pixel.
struct Picture {
  let width: Int
  let height: Int
  let channels: Int
  var pixels: [UInt8]

  /// Where a part of a picture lies.
  struct Rectangle: Equatable {
    let left: Int
    let top: Int
    let width: Int
    let height: Int
  }

  /// The part in `rectangle`. Traps where that is not inside.
  func cropped(to rectangle: Rectangle) -> Picture {
    if rectangle == Rectangle(left: 0, top: 0, width: width, height: height) { return self }
    var part = [UInt8]()
    part.reserveCapacity(rectangle.width * rectangle.height * channels)
    for y in rectangle.top..<rectangle.top + rectangle.height {
      let start = (y * width + rectangle.left) * channels
      part += pixels[start..<start + rectangle.width * channels]
    }
    return Picture(
      width: rectangle.width, height: rectangle.height, channels: channels, pixels: part)
  }

  /// In grey: (0.299 red + 0.587 green + 0.114 blue), rounded, in 16-bit fixed point (ITU-R BT.601, as Pillow).
  func grey() -> Picture {
    guard channels == 3 else { return self }
    let grey = [UInt8](unsafeUninitializedCapacity: width * height) { target, count in
      count = width * height
      pixels.withUnsafeBufferPointer { source in
        for index in 0..<count {
          let sum =
            Int32(source[3 * index]) * 19595 + Int32(source[3 * index + 1]) * 38470
            + Int32(source[3 * index + 2]) * 7471
          target[index] = UInt8((sum + 0x8000) >> 16)
        }
      }
    }
    return Picture(width: width, height: height, channels: 1, pixels: grey)
  }
}

// MARK: - Decoding

/// A kind of picture file.
struct PictureFormat: Sendable {
  let name: String
  /// How files of the kind end, in lower case, without the dot.
  let endings: [String]
  /// The bytes that every file of the kind begins with.
  let magic: [UInt8]
  fileprivate let readHeader: Reader<UnsafeMutablePointer<ic_header>>
  fileprivate let readPixels:
    @Sendable (
      UnsafePointer<UInt8>?, Int, UnsafePointer<ic_header>?, UnsafeMutablePointer<UInt8>?,
      UnsafeMutablePointer<ic_message>?
    ) -> Int32

  fileprivate typealias Reader<Target> =
    @Sendable (UnsafePointer<UInt8>?, Int, Target?, UnsafeMutablePointer<ic_message>?) -> Int32

  /// Every kind that is read.
  static let all = [
    PictureFormat(
      name: "JPEG", endings: ["jpg", "jpeg", "jpe"], magic: [0xFF, 0xD8, 0xFF],
      readHeader: { ic_jpeg_header($0, $1, $2, $3) },
      readPixels: { ic_jpeg_pixels($0, $1, $2, $3, $4) }),
    PictureFormat(
      name: "PNG", endings: ["png"], magic: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
      readHeader: { ic_png_header($0, $1, $2, $3) },
      readPixels: { ic_png_pixels($0, $1, $2, $3, $4) }),
  ]

  /// How picture files of other kinds end, which must not be passed over in silence.
  static let otherEndings: Set<String> = [
    "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "ppm", "pgm",
  ]

  /// As in `JPEG or PNG`.
  static let names = all.map(\.name).joined(separator: " or ")
}

extension Picture {
  /// The most pixels that are read: 2²⁴, and 512 more for each byte of the file.
  ///
  /// No real picture is packed as densely, and a small file can't ask for gigabytes.
  static func greatestPixelCount(ofFile byteCount: Int) -> Int { 1 << 24 + 512 * byteCount }

  /// Decodes a picture file, whatever it is named.
  ///
  /// Transparency is dropped and 16 bits become 8, orientation marks are not followed: the pixels are those that Pillow's
  /// `Image.open(…).convert("RGB")` gives (grey pictures keep their one channel). Throws ``DatasetError``.
  init(decoding bytes: UnsafeRawBufferPointer) throws {
    guard let format = PictureFormat.all.first(where: { bytes.starts(with: $0.magic) }) else {
      throw DatasetError(
        bytes.isEmpty ? .invalidFile : .unsupported,
        bytes.isEmpty ? "is empty" : "is not a \(PictureFormat.names) picture")
    }
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var header = ic_header()
    var message = ic_message()
    guard format.readHeader(start, bytes.count, &header, &message) == 1 else {
      throw Self.unreadable(format, message)
    }
    let (width, height) = (Int(header.width), Int(header.height))
    guard width > 0, height > 0, width * height <= Self.greatestPixelCount(ofFile: bytes.count)
    else {
      throw DatasetError(
        .invalidFile,
        "claims \(width) × \(height) pixels, too many for its \(bytes.count) bytes")
    }
    let count = width * height * Int(header.channels)
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      guard format.readPixels(start, bytes.count, &header, target.baseAddress, &message) == 1
      else { throw Self.unreadable(format, message) }
      filled = count
    }
    self.init(width: width, height: height, channels: Int(header.channels), pixels: pixels)
  }

  /// Decodes the picture file at `path`. Throws ``DatasetError`` or ``FileError``.
  init(contentsOf path: String) throws {
    let file = try MappedFile(path: path)
    self = try located(path) { try Picture(decoding: file.bytes) }
  }

  private static func unreadable(_ format: PictureFormat, _ message: ic_message) -> DatasetError {
    let text = withUnsafeBytes(of: message.text) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return DatasetError(.invalidFile, "is a damaged \(format.name) file: \(text)")
  }
}
