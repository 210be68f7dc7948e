import Foundation
import Tensors

/// Reads every damaged variant of a file: cut at each length (at `step` bytes' distance), and each bit flipped in turn.
///
/// `read` gets the damaged bytes. It may succeed where the damage can't be noticed, or throw a `LocatedError` of one line.
/// Returns what went wrong: any other error, or a cut file that was read although `cutsMustFail`.
public func readDamaged(
  _ sound: [UInt8], step: Int = 1, cutsMustFail: Bool = true, bytes read: ([UInt8]) throws -> Void
) -> [String] {
  var findings: [String] = []
  func attempt(_ bytes: [UInt8], _ what: String, mustFail: Bool) {
    do {
      try read(bytes)
      if mustFail { findings.append("\(what): was read") }
    } catch let error as any LocatedError {
      if error.description.contains("\n") { findings.append("\(what): \(error)") }
    } catch {
      findings.append("\(what): \(error)")
    }
  }
  for length in stride(from: 0, to: sound.count, by: step) {
    attempt(Array(sound[..<length]), "cut to \(length) bytes", mustFail: cutsMustFail)
  }
  for position in stride(from: 0, to: sound.count, by: step) {
    for bit in 0..<8 {
      var flipped = sound
      flipped[position] ^= 1 << UInt8(bit)
      attempt(flipped, "bit \(bit) of byte \(position) flipped", mustFail: false)
    }
  }
  return findings
}

/// As ``readDamaged(_:step:cutsMustFail:bytes:)``, where `read` gets the path of a damaged file.
public func readDamaged(
  _ sound: [UInt8], step: Int = 1, cutsMustFail: Bool = true, file read: (String) throws -> Void
) throws -> [String] {
  let folder = try TemporaryFolder()
  let path = folder.file("damaged")
  return readDamaged(sound, step: step, cutsMustFail: cutsMustFail) { bytes in
    unlink(path)
    let descriptor = open(path, O_WRONLY | O_CREAT, 0o644)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    close(descriptor)
    try read(path)
  }
}
