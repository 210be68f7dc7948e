/// The known name that a misspelt one is likely to mean: at most two changed, missing or added letters away, else the first
/// that begins with it; nil where none is near.
///
/// Fewer letters must change than stay. Time: the product of the lengths for each name of about the same length.
package func nearestName(to name: String, among known: some Sequence<String>) -> String? {
  let letters = Array(name.lowercased())
  var nearest: (name: String, distance: Int)?
  var longer: String?
  for candidate in known where candidate != name {
    let others = Array(candidate.lowercased())
    if longer == nil, !letters.isEmpty, others.starts(with: letters) { longer = candidate }
    guard abs(letters.count - others.count) <= 2 else { continue }
    let distance = editDistance(letters, others)
    if distance <= 2, 2 * distance < max(letters.count, others.count),
      distance < nearest?.distance ?? .max
    {
      nearest = (candidate, distance)
    }
  }
  return nearest?.name ?? longer
}

/// How many letters must be changed, added or taken away. Source: Wagner and Fischer, "The String-to-String Correction Problem",
/// 1974.
private func editDistance(_ first: [Character], _ second: [Character]) -> Int {
  var row = Array(0...second.count)
  for (i, letter) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in second.enumerated() {
      let replaced = diagonal + (letter == other ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[second.count]
}
