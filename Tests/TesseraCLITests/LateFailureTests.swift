import Foundation
import Testing
import _TestSupport

/// What can no longer be written when the work is done: one clear line, exit code 3, and none of the other files either.
@Suite struct LateFailureTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  /// A limit on the size of files, of two blocks, stands for a disk that is full half way: the network of some 500 bytes, which
  /// is written first, fits, the report does not.
  @Test(arguments: [("--json", "out.json"), ("--html", "out.html")])
  func aDiskThatIsFullHalfWay(_ option: String, _ name: String) throws {
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    let listing = try place.listing()
    let commands = [
      ["quantize", model, "--data", place.samples, "-o", place.file("out.onnx")],
      ["compare", model, model, "--data", place.samples],
    ]
    for command in commands {
      let started = try CommandRun.start(
        command + ["--quiet", option, place.file(name)], through: "ulimit -f 2")
      let errors = started.errors.fileHandleForReading.readDataToEndOfFile()
      started.waitUntilExit()
      #expect(started.terminationStatus == 3)
      #expect(
        String(decoding: errors, as: UTF8.self)
          == "tessera: \(place.file(name)): can't be written: file too large; nothing was changed\n"
      )
      #expect(try place.listing() == listing)
      #expect(try place.isUntouched())
    }
  }

  /// What becomes of a target's place while the command works.
  enum Change: String, CaseIterable {
    case folderVanishes = "no such file or directory"
    case becomesFolder = "is a folder; name a file to write"
    case becomesDevice = "is not a regular file; name a file to write"
  }

  @Test(arguments: Change.allCases, ["--json", "--html"])
  func aPlaceThatChangesMeanwhile(_ change: Change, _ option: String) throws {
    let manager = FileManager.default
    let listing = try place.listing()
    let folder = place.file("reports")
    let target = folder + "/report"
    try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let started = try CommandRun.start([
      "quantize", examples + "/model.onnx", "--preprocessing", examples + "/preprocessing.yaml",
      "--data", examples + "/calibration-images.idx3-ubyte.gz", "--samples", "300",
      "--skip-layers", "-o", place.file("out.onnx"), option, target,
    ])
    let errors = started.errors.fileHandleForReading
    var text = try started.readErrors(until: "plan: ")
    // Stopped, so that the change comes before calibration's end on any machine.
    kill(started.process.processIdentifier, SIGSTOP)
    switch change {
    case .folderVanishes: try manager.removeItem(atPath: folder)
    case .becomesFolder:
      try manager.createDirectory(atPath: target, withIntermediateDirectories: false)
    case .becomesDevice:
      try manager.createSymbolicLink(atPath: target, withDestinationPath: "/dev/full")
    }
    kill(started.process.processIdentifier, SIGCONT)
    text += errors.readDataToEndOfFile()
    started.waitUntilExit()
    #expect(started.terminationStatus == 3)
    let last = String(decoding: text, as: UTF8.self).split(separator: "\n").last ?? ""
    let message =
      change == .folderVanishes
      ? "can't be written: \(change.rawValue); nothing was changed" : change.rawValue
    #expect(last == "tessera: \(target): \(message)")
    if change != .folderVanishes {
      #expect(try manager.contentsOfDirectory(atPath: folder) == ["report"])
      try manager.removeItem(atPath: folder)
    }
    #expect(try place.listing() == listing)
    #expect(try place.isUntouched())
  }

  /// Data that do not fit are refused from what their headers say: nothing but these can be unpacked here.
  @Test func packedDataThatDoNotFit() throws {
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    let listing = try place.listing()
    let bytes = ZipWire.unreadableArray("wrong", [1 << 25, 2])
    for path in [place.samples, place.inputs] {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
    for command in place.commands(model) {
      let run = try CommandRun(command + ["--quiet"])
      #expect(run.code == 3)
      #expect(
        run.errors
          == (["run", "benchmark"].contains(command[0])
            ? "tessera: \(place.inputs): unknown input 'wrong'; the network has 'x'\n"
            : "tessera: \(place.samples): lacks 'x' and has 'wrong', which the network does not know; "
              + "expected one array for each of the inputs 'x', and 'labels' if you like\n"))
      #expect(try place.listing() == listing)
      #expect(try place.isUntouched())
    }
  }
}
