import CFuzz
import Foundation
import Graphs
import ModelFiles
import Tensors

// Reads each input as an ONNX file, then does all that is done with a model before it runs. Errors are fine: crashes,
// hangs and memory out of proportion are findings.

let folder = NSTemporaryDirectory() + "tessera-fuzz-\(getpid())"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)

@Sendable func attempt(_ bytes: UnsafeRawBufferPointer) {
  let path = folder + "/model.onnx"
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard descriptor >= 0 else { return }
  write(descriptor, bytes.baseAddress, bytes.count)
  close(descriptor)
  guard let model = try? Model(contentsOf: path) else { return }
  var sum = 0
  for constant in model.graph.constants.values {
    constant.withUnsafeBytes { sum = $0.reduce(sum) { $0 &+ Int($1) } }
  }
  guard let upgraded = try? model.applying([UpgradeOldOperators()]) else { return }
  try? upgraded.verify()
  _ = try? upgraded.graph.inferringTypes(opsets: upgraded.opsets)
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
let result = LLVMFuzzerRunDriver(&argumentCount, &arguments) { bytes, count in
  attempt(UnsafeRawBufferPointer(start: bytes, count: count))
  return 0
}
try? FileManager.default.removeItem(atPath: folder)
exit(result)
