public import Tensors

/// Reads every damaged variant of a file: cut at each length (at `step` bytes' distance), and each bit flipped in turn.
///
/// `read` gets the path of a damaged file. It may succeed where the damage can't be noticed, or throw a ``LocatedError`` of one
/// line. Returns what went wrong: any other error, or a cut file that was read although `cutsMustFail`.
public func readDamaged(
  _ sound: [UInt8], step: Int = 1, cutsMustFail: Bool = true, read: (String) throws -> Void
) throws -> [String] {
  let folder = try TemporaryFolder()
  var findings: [String] = []
  func attempt(_ bytes: some Sequence<UInt8>, _ what: String, mustFail: Bool) throws {
    let path = try folder.write(bytes, to: "damaged")
    do {
      try read(path)
      if mustFail { findings.append("\(what): was read") }
    } catch let error as any LocatedError {
      if error.description.contains("\n") { findings.append("\(what): \(error)") }
    } catch {
      findings.append("\(what): \(error)")
    }
  }
  for length in stride(from: 0, to: sound.count, by: step) {
    try attempt(sound[..<length], "cut to \(length) bytes", mustFail: cutsMustFail)
  }
  for position in stride(from: 0, to: sound.count, by: step) {
    for bit in 0..<8 {
      var flipped = sound
      flipped[position] ^= 1 << UInt8(bit)
      try attempt(flipped, "bit \(bit) of byte \(position) flipped", mustFail: false)
    }
  }
  return findings
}
