import Foundation
import Testing
import _TestSupport

/// Where outputs can't be written, or the command is stopped: nothing half-written, what was there stays.
@Suite struct TargetTests {
  struct Case: CustomTestStringConvertible {
    let target: String
    let message: String
    var testDescription: String { target }
  }

  @Test(arguments: [
    Case(
      target: "missing/out.onnx",
      message: "can't be written: the folder 'FOLDER/missing' does not exist; create it"),
    Case(target: "folder", message: "is a folder; name a file to write"),
    Case(
      target: "/proc/out.onnx",
      message: "can't be written: no such file or directory; nothing was changed"),
    Case(target: "/dev/null", message: "is not a regular file; name a file to write"),
    Case(target: "/dev/full", message: "is not a regular file; name a file to write"),
    Case(target: "full.json", message: "is not a regular file; name a file to write"),
  ])
  func areCheckedBeforeTheWork(_ bad: Case) throws {
    let place = try Workplace()
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    try FileManager.default.createDirectory(
      atPath: place.file("folder"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: place.file("full.json"), withDestinationPath: "/dev/full")
    let target = bad.target.hasPrefix("/") ? bad.target : place.file(bad.target)
    let message = bad.message.replacingOccurrences(of: "FOLDER", with: place.folder.path)
    let listing = try place.listing()
    let quantize = ["quantize", model, "--data", place.samples]
    let commands = [
      quantize + ["-o", target], quantize + ["-o", place.file("out.onnx"), "--json", target],
      quantize + ["-o", place.file("out.onnx"), "--html", target],
      ["evaluate", model, "--data", place.samples, "--json", target],
      ["compare", model, model, "--data", place.samples, "--html", target],
      ["run", model, "--inputs", place.inputs, "--outputs", target],
      ["inspect", model, "--json", target],
    ]
    for command in commands {
      let run = try CommandRun(command)
      #expect(run.code == 3)
      #expect(run.errors == "tessera: \(target): \(message)\n")
      #expect(run.output.isEmpty)
      #expect(try place.listing() == listing)
      #expect(try place.isUntouched())
    }
  }

  @Test(.enabled(if: geteuid() != 0, "the superuser may write everywhere"))
  func aReadOnlyFolder() throws {
    let place = try Workplace()
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    chmod(place.folder.path, 0o500)
    defer { chmod(place.folder.path, 0o700) }
    let run = try tessera("quantize", model, "--data", place.samples, "-o", place.file("out.onnx"))
    #expect(run.code == 3)
    #expect(
      run.errors == "tessera: \(place.file("out.onnx")): can't be written: permission denied; "
        + "nothing was changed\n")
    #expect(try place.isUntouched())
  }

  /// A limit on the size of files stands for a full disk.
  @Test func aFullDisk() throws {
    let place = try Workplace()
    let listing = try place.listing()
    let started = try CommandRun.start(
      ["quantize", examples + "/model.onnx", "--recipe", "w8", "--quiet"]
        + ["-o", place.file("out.onnx")], through: "ulimit -f 100")
    let errors = started.errors.fileHandleForReading.readDataToEndOfFile()
    started.waitUntilExit()
    #expect(started.terminationStatus == 3)
    #expect(
      String(decoding: errors, as: UTF8.self)
        == "tessera: \(place.file("out.onnx")): can't be written: file too large; nothing was changed\n"
    )
    #expect(try place.listing() == listing)
    #expect(try place.isUntouched())
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func stoppedInTheMiddle(_ signal: Int32) throws {
    let place = try Workplace()
    let listing = try place.listing()
    let started = try CommandRun.start([
      "quantize", examples + "/model.onnx", "--preprocessing", examples + "/preprocessing.yaml",
      "--data", examples + "/calibration-images.idx3-ubyte.gz", "--samples", "500",
      "--evaluate", examples + "/test-images.idx3-ubyte.gz", "-o", place.file("out.onnx"),
    ])
    let errors = started.errors.fileHandleForReading
    var text = try started.readErrors(until: "plan: ")
    kill(started.process.processIdentifier, signal)
    text += errors.readDataToEndOfFile()
    started.waitUntilExit()
    #expect(started.terminationStatus == 128 + signal)
    #expect(
      String(decoding: text, as: UTF8.self).hasSuffix(
        "\ntessera: stopped; no file is left half-written\n"))
    #expect(try place.listing() == listing)
    #expect(try place.isUntouched())
  }

  /// Inputs and outputs of one command are different files.
  @Test func oneFileTwice() throws {
    let place = try Workplace()
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    let link = place.file("link.onnx")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: model)
    for (output, json) in [(model, "a.json"), (link, "a.json"), (place.file("b"), "b")] {
      let run = try tessera(
        "quantize", model, "--data", place.samples, "-o", output, "--json", place.file(json))
      #expect(run.code == 2)
      #expect(run.errors.contains("is another file of this command too; name another file"))
    }
    #expect(try bytes(ofFile: model) == SmallModels.product())
  }
}
