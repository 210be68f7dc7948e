import Foundation
import Testing
import _TestSupport

/// Every option of every command with values that mean nothing: exit code 2, the usage of that command, nothing written.
@Suite struct NonsenseOptionTests {
  struct Row: CustomTestStringConvertible {
    let command: String
    let option: String
    let values: [String]
    var testDescription: String { "\(command) \(option)" }
  }

  private static let common = [
    ("--threads", ["0", "-1", "257", "99999999999999999999", "1.5", "nan", "x"]),
    ("--seed", ["-1", "1.5", "99999999999999999999", "x"]),
  ]
  private static let pictures = [
    ("--preprocessing", ["imagnet", "0"]),
    ("--size", ["0x0", "28", "28x", "x28", "-1x4", "28x28x3", "99999x99999", "nanxnan"]),
    ("--resize", ["0", "-3", "99999", "1.5", "x"]),
    ("--crop", ["0x0", "4", "4x4", "99999x99999"]),
    ("--interpolation", ["0", "x"]), ("--channels", ["0", "x"]), ("--layout", ["0", "x"]),
    ("--scale", ["0", "-1", "nan", "inf", "x"]),
    ("--mean", ["nan", "inf", "1,2", "1,,2", ",", "x"]),
    ("--std", ["0", "nan", "1,0,1", "1,2", "x"]),
  ]
  private static let own: [String: [(String, [String])]] = [
    "quantize": [
      ("--recipe", ["w9a9", "0"]), ("--samples", ["0", "-1", "1.5", "nan", "x"]),
      ("--max-drop", ["-1%", "101%", "nan", "inf%", "1", "x", "%"]),
      ("--max-size", ["0%", "0", "-5%", "101%", "nan%", "x"]),
      ("--min-speedup", ["0", "-1", "nan", "inf", "x"]), ("--min-sqnr", ["nan", "inf", "x"]),
      ("--try-float", ["-1", "1.5", "x"]),
    ],
    "evaluate": [("--metric", ["top3", ",", "top1,,top5", "sqnr", "0"])],
    "compare": [
      ("--samples", ["0", "-1", "1.5", "nan", "x"]), ("--layers", ["-1", "1.5", "x"]),
    ],
    "run": [],
    "benchmark": [
      ("--batch", ["0", "-1", "1.5", "x"]), ("--shape", ["x", "=1", "x=a", "x=1,", "x=-1"]),
      ("--seconds", ["0", "-1", "nan", "inf", "3601", "x"]),
      ("--warm-up", ["-1", "nan", "inf", "3601", "x"]), ("--rounds", ["0", "-1", "1.5", "x"]),
      ("--steps", ["1", "-1", "1.5", "x"]), ("--html", ["-"]),
      ("--max-latency", ["0", "-1", "nan", "inf", "x"]),
      ("--min-speedup", ["0", "-1", "nan", "inf", "x"]),
    ],
  ]

  static let rows = own.keys.sorted().flatMap { command in
    let options = own[command]! + common + (["run", "benchmark"].contains(command) ? [] : pictures)
    return options.map { Row(command: command, option: $0.0, values: $0.1) }
  }

  @Test(arguments: rows) func isWrongUsage(_ row: Row) throws {
    let place = try Workplace()
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    let listing = try place.listing()
    let base: [String] =
      switch row.command {
      case "quantize":
        ["quantize", model, "--data", place.samples, "-o", place.file("out.onnx")]
      case "evaluate":
        ["evaluate", model, "--data", place.samples, "--json", place.file("out.json")]
      case "compare":
        ["compare", model, model, "--data", place.samples, "--json", place.file("out.json")]
      case "benchmark": ["benchmark", model, "--json", place.file("out.json")]
      default: ["run", model, "--inputs", place.inputs, "--outputs", place.file("out.npz")]
      }
    for value in row.values + [""] {
      let run = try CommandRun(base + ["\(row.option)=\(value)"])
      #expect(run.code == 2, "\(row.option)=\(value): \(run.errors)")
      #expect(run.output.isEmpty)
      #expect(run.errors.hasPrefix("Error: "))
      if value.isEmpty {
        #expect(
          run.errors.hasPrefix("Error: an argument is empty; give a value, or leave it out\n"))
      } else {
        #expect(run.errors.contains("\nUsage: tessera \(row.command) "), "\(run.errors)")
        #expect(run.errors.hasSuffix("See 'tessera \(row.command) --help' for more information.\n"))
        #expect(run.errors.contains(row.option), "\(run.errors)")
      }
      #expect(try place.listing() == listing)
      #expect(try place.isUntouched())
    }
  }

  /// What is there to be written or read can't be named by nothing.
  @Test func emptyPaths() throws {
    for arguments in [["inspect", ""], ["recipes", ""], ["run", "a.onnx", "--inputs", ""]] {
      let run = try CommandRun(arguments)
      #expect(run.code == 2)
      #expect(run.errors.hasPrefix("Error: an argument is empty; give a value, or leave it out\n"))
    }
  }
}
