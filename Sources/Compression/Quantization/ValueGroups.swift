/// Values that must share a scale and a zero point: a union-find over names.
struct ValueGroups: Sendable {
  private var parents: [String: String] = [:]

  /// The value that stands for the group of `name`.
  func root(of name: String) -> String {
    var name = name
    while let parent = parents[name], parent != name { name = parent }
    return name
  }

  /// Joins the groups of two values; the root of `first` stands for both.
  mutating func join(_ first: String, _ second: String) {
    let (root, other) = (root(of: first), root(of: second))
    if root != other { parents[other] = root }
    // Short ways keep long chains of concatenations fast.
    parents[second] = root
  }
}
