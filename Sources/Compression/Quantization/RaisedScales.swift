/// Scales of a layer's weights that were raised because their bias would not have fitted int32.
///
/// That happens to channels whose weights are almost zero beside their bias: dead ones as a rule, which lose nothing by it.
struct RaisedScales: Sendable {
  let layer: String
  let count: Int
  let of: Int

  /// How many layers are named.
  private static let named = 3

  /// One line about all of them, or nil where there are none.
  static func note(_ raised: [RaisedScales]) -> String? {
    guard !raised.isEmpty else { return nil }
    let names = raised.prefix(named).map { "\($0.layer) (\($0.count) of \($0.of))" }
    let more = raised.count > named ? " and \(raised.count - named) more layers" : ""
    return
      "scales of weights that are almost zero beside their bias were raised, so that the bias fits "
      + "int32: " + names.joined(separator: ", ") + more
  }
}
