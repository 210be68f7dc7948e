import Testing

@testable import Compression

@Suite struct ValueGroupsTests {
  @Test func theFirstStandsForAll() {
    var groups = ValueGroups()
    groups.join("a", "b")
    groups.join("c", "d")
    groups.join("b", "d")
    groups.join("d", "a")
    #expect(["a", "b", "c", "d"].map { groups.root(of: $0) } == ["a", "a", "a", "a"])
    #expect(groups.root(of: "e") == "e")
  }
}
