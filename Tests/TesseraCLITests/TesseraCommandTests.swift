import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// The command as a user runs it: exit codes, one clear line, and nothing written where it fails.
@Suite struct TesseraCommandTests {
  private var model: String { TestSupport.fixture("onnx/qdq_conv_pc_uint8.onnx") }

  @Test func runsAModel() throws {
    let folder = try TemporaryFolder()
    let arrays = try NumPyArchive(
      contentsOf: TestSupport.fixture("onnx/qdq_conv_pc_uint8.npz")
    ).arrays
    let (inputs, outputs) = (folder.file("in.npz"), folder.file("out.npz"))
    try writeNumPyArchive(["X": try #require(arrays["X"])], to: inputs)
    let outcome = try tessera("run", model, "--inputs", inputs, "--outputs", outputs)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let found = try #require(try NumPyArchive(contentsOf: outputs).arrays["Y"])
    #expect(found.isIdentical(to: try #require(arrays["Y"])))
  }

  /// An instruction set that is not used is told, even if quiet.
  @Test func anUnknownInstructionSetIsTold() throws {
    let shell = "export TESSERA_ISA=axv2"
    let arguments = ["run", model, "--inputs", "/nowhere.npz", "--outputs", "/nowhere2.npz"]
    let warning =
      "warning: TESSERA_ISA is 'axv2', which is no instruction set; known are scalar, avx2, avxvnni, avx512, neon; "
    let run = try CommandRun(arguments, through: shell)
    #expect(run.errors.hasPrefix(warning))
    #expect(run.errors.split(separator: "\n")[0].hasSuffix(" is used"))
    #expect(try CommandRun(["inspect", model], through: shell).errors.hasPrefix(warning))
    #expect(try CommandRun(arguments + ["-q"], through: shell).errors.hasPrefix(warning))
    for known in ["scalar", ""] {
      let run = try CommandRun(["inspect", model], through: "export TESSERA_ISA=\(known)")
      #expect(run.errors.isEmpty)
    }
    #if arch(x86_64)
      let lacking = try CommandRun(["inspect", model], through: "export TESSERA_ISA=neon")
      #expect(
        lacking.errors.hasPrefix("warning: TESSERA_ISA is 'neon', which this machine lacks; "))
    #endif
  }

  @Test(arguments: ["abc", "2x", "-3", "0", "9999"])
  func aNumberOfThreadsThatCannotBeIsTold(_ wanted: String) throws {
    let shell = "export TESSERA_THREADS=\(wanted)"
    let errors = try CommandRun(["inspect", model], through: shell).errors
    #expect(errors.hasPrefix("warning: TESSERA_THREADS is '\(wanted)'; must be 1 to 256; "))
    #expect(try CommandRun(["inspect", model], through: "export TESSERA_THREADS=2").errors.isEmpty)
  }

  @Test func aWrongInputWritesNothing() throws {
    let folder = try TemporaryFolder()
    let (inputs, outputs) = (folder.file("in.npz"), folder.file("out.npz"))
    try writeNumPyArchive(["Z": Tensor([Float(1)])], to: inputs)
    let outcome = try tessera("run", model, "--inputs", inputs, "--outputs", outputs)
    #expect(outcome.code == 3)
    #expect(outcome.errors == "tessera: \(inputs): unknown input 'Z'; the network has 'X'\n")
    #expect(!FileManager.default.fileExists(atPath: outputs))
  }

  @Test func aMissingModelIsExitCode3() throws {
    let outcome = try tessera("inspect", "/nowhere/net.onnx")
    #expect(outcome.code == 3)
    #expect(
      outcome.errors
        == "tessera: /nowhere/net.onnx: can't be read: no such file or directory; "
        + "check the path and its permissions\n")
  }

  @Test func wrongUsageIsExitCode2() throws {
    let folder = try TemporaryFolder()
    #expect(try tessera("quantize").code == 2)
    #expect(try tessera("nonsense").code == 2)
    let outcome = try tessera(
      "quantize", model, "-o", folder.file("out.onnx"), "--recipe", "w9a9")
    #expect(outcome.code == 2)
    #expect(outcome.errors.contains("--recipe 'w9a9' is not known; known are w8a8,"))
  }

  @Test func aMisspeltSubcommand() throws {
    let known =
      "Error: unknown subcommand '%'; known are quantize, evaluate, compare, inspect, run, benchmark, recipes"
    for (name, nearest) in [
      ("quantise", "; did you mean quantize?"), ("eval", "; did you mean evaluate?"),
      ("nonsense", ""),
    ] {
      let run = try tessera(name, "net.onnx", "--data", "photos")
      #expect(run.code == 2)
      #expect(
        run.errors.hasPrefix(known.replacingOccurrences(of: "%", with: name) + nearest + "\n"),
        "\(run.errors)")
      #expect(run.errors.hasSuffix("See 'tessera --help' for more information.\n"))
    }
    #expect(try tessera("help", "quantize").code == 0)
    #expect(try tessera("--help").code == 0)
  }

  @Test func aModelOfPyTorch() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([0x80, 0x02, 0x8a, 0x0a], to: "net.pth")
    let run = try tessera("quantize", path, "--recipe", "w8", "-o", folder.file("out.onnx"))
    #expect(run.code == 3)
    #expect(
      run.errors
        == "tessera: \(path): is not a model file of a known format (onnx): it begins with the bytes "
        + "80 02 8a 0a, as PyTorch's do; export the network to ONNX first\n")
  }

  @Test(arguments: [
    (
      ["quantize", "-o", "net.tflite", "--recipe", "w8"],
      "-o is 'net.tflite', but quantize writes ONNX; name it .onnx"
    ),
    (["quantize", "-o", "out.onnx", "--samples", "0"], "--samples must be 1 or more"),
    (["compare", "b.onnx", "--data", "d.npz", "--samples", "0"], "--samples must be 1 or more"),
    (["evaluate", "--data", "d.npz", "--threads", "0"], "--threads is 0; must be 1 or more"),
    (
      ["evaluate", "--data", "d.npz", "--metric", "top3"],
      "--metric 'top3' is not known; known are top1,"
    ),
    (
      ["quantize", "-o", "out.onnx", "--max-drop", "x"],
      "--max-drop: 'x' is not a share; give one as in 1%"
    ),
    (
      ["quantize", "-o", "out.onnx", "--max-drop", "1"],
      "--max-drop: '1' is not a share; give one as in 1%"
    ),
    (
      ["quantize", "-o", "out.onnx", "--recipe", "w8", "--max-drop", "1%"],
      "--max-drop needs labels to measure accuracy, there is no data: sort pictures into a folder"
    ),
    (
      ["quantize", "-o", "out.onnx", "--preprocessing", "imagnet"],
      "--preprocessing 'imagnet' is not known; known are unit, signed-unit, imagenet,"
    ),
    (
      ["evaluate", "--data", "d.npz", "--metric", "top1,sqnr"],
      "--metric sqnr compares with another network; name it with --against"
    ),
    (
      ["quantize", "-o", "out.onnx", "--max-size", "nan%"],
      "--max-size: 'nan%' is not a share; give"
    ),
    (
      ["quantize", "-o", "out.onnx", "--size", "28"], "--size is '28'; give height and width, as in"
    ),
    (["quantize", "-o", "out.onnx", "--mean", "1,x"], "--mean is '1,x'; give numbers, as in"),
    (["quantize", "-o", "out.onnx"], "recipe 'w8a8' needs samples: give --data, or a recipe"),
  ])
  func wrongOptionsAreExitCode2(_ options: [String], _ message: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out.onnx")
    let arguments = options.map { $0 == "out.onnx" ? path : $0 }
    let outcome = try CommandRun([arguments[0], model] + arguments.dropFirst())
    #expect(outcome.code == 2)
    #expect(outcome.errors.contains(message))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func recipesAreListedAndPrinted() throws {
    #expect(try tessera("recipes").output.hasPrefix("w8a8\n"))
    #expect(try tessera("recipes", "w8").output.hasPrefix("name: w8\n"))
    let unknown = try tessera("recipes", "w9")
    #expect(unknown.code == 2)
    #expect(unknown.errors.hasPrefix("Error: there is no recipe 'w9'; known are w8a8, "))
  }
}
