import Foundation
public import Graphs
import Tensors

extension Model {
  /// The same network with its constants in a mapped file, each at an odd address, as files hold them that align nothing.
  public func withConstantsAtOddAddresses() throws -> Model {
    let names = graph.constants.keys.sorted()
    var bytes: [UInt8] = []
    var offsets: [Int] = []
    for name in names {
      bytes += [UInt8](repeating: 7, count: 1 + bytes.count % 2)
      offsets.append(bytes.count)
      bytes += graph.constants[name]!.withUnsafeBytes { Array($0) }
    }
    let path = NSTemporaryDirectory() + "constants-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(bytes + [7]).write(to: URL(fileURLWithPath: path))
    let file = try MappedFile(path: path)
    var model = self
    for (name, offset) in zip(names, offsets) {
      let constant = graph.constants[name]!
      model.graph.constants[name] = Tensor(
        constant.shape, constant.elementType, in: file, byteOffset: offset)
    }
    return model
  }
}
