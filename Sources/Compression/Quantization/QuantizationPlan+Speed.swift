import Graphs
import NumberFormats

extension QuantizationPlan.Entry {
  /// Whether its weights stay codes in memory, though it is computed in float.
  fileprivate var readsCodes: Bool {
    weights?.code.bitWidth == 4 && ["MatMul", "Gemm"].contains(operation.type)
  }
}

extension QuantizationPlan {
  /// What of the plan is for size and not for speed, a sentence for each kind; empty where all layers that are stored as codes
  /// are computed in integers.
  public var speedNotes: [String] {
    var notes: [String] = []
    let computed = entries.filter { $0.treatment == .integer }
    if computed.contains(where: { ($0.activations?.code.bitWidth ?? 0) > 8 }) {
      notes.append(
        "16-bit activations are for size and not for speed: computed in float, each value then rounded to what its code "
          + "stands for; a little slower than the float network")
    }
    let stored = entries.filter { $0.treatment == .weightOnly && $0.hasFloatWeights }
    if stored.contains(where: \.readsCodes) {
      notes.append(
        "4-bit weights of matrix products stay codes in memory: the fewer rows are multiplied at a time, the faster than float; "
          + "with many rows they are for size and not for speed")
    }
    if !stored.allSatisfy(\.readsCodes) {
      notes.append(
        "weights alone are for the size of the file and not for speed, 4-bit ones of matrix products apart: they become numbers "
          + "when the network is loaded, which takes the memory and the time of float")
    }
    return notes
  }
}
