import Testing

@testable import Compression

@Suite struct NodePatternTests {
  @Test(arguments: [
    ("conv1", "conv1", true), ("conv1", "conv10", false), ("conv*", "conv10", true),
    ("*conv", "layer/conv", true), ("*conv", "layer/conv1", false), ("*", "", true),
    ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("**a**", "bab", true),
    ("", "x", false), ("a", "A", false), ("é*", "école", true),
  ])
  func names(_ pattern: String, _ name: String, _ matches: Bool) {
    let node = NodeIdentity(name: name, operation: "Conv")
    #expect(NodePattern.name(pattern).matches(node) == matches)
  }

  /// A node without a name is known by its output and by what the plan calls it.
  @Test(arguments: [
    ("e", true), ("Gather → e", true), ("Gather*", true), ("Gather → f", false), ("Gather", false),
  ])
  func labels(_ pattern: String, _ matches: Bool) {
    let node = NodeIdentity(name: "e", label: "Gather → e", operation: "Gather")
    #expect(NodePattern.name(pattern).matches(node) == matches)
  }

  @Test func hardPatternsEnd() {
    let pattern = String(repeating: "a*", count: 200) + "b"
    let node = NodeIdentity(name: String(repeating: "a", count: 5000), operation: "Conv")
    #expect(!NodePattern.name(pattern).matches(node))
  }

  @Test func operatorsAndPlaces() throws {
    let node = NodeIdentity(name: "x", operation: "com.microsoft.QGemm", isFirst: true)
    #expect(try NodePattern("operator:com.microsoft.QGemm").matches(node))
    #expect(try !NodePattern("operator:QGemm").matches(node))
    #expect(try NodePattern("first").matches(node))
    #expect(try !NodePattern("last").matches(node))
  }

  @Test(arguments: ["first", "last", "operator:Softmax", "conv*", "*"])
  func textRoundTrips(_ text: String) throws {
    #expect(try NodePattern(text).description == text)
  }

  @Test(arguments: ["", "operator:"]) func refusesWhatMatchesNothing(_ text: String) {
    #expect {
      try NodePattern(text)
    } throws: {
      "\($0)" == "'\(text)' matches nothing; must be a node's name, in which * stands for any "
        + "characters, operator:NAME, first or last"
    }
  }
}
