import Testing

@testable import Compression

@Suite struct RecipeDecodingTests {
  /// YAML and what is said about it.
  static let refused: [(yaml: String, message: String)] = [
    ("", "is empty; a recipe must at least name its method"),
    ("# nothing", "is empty; a recipe must at least name its method"),
    ("name: x", "line 1: the key method is missing; must be one of static, dynamic, weightOnly"),
    (
      "method: fast",
      "line 1 › method: is 'fast'; must be one of static, dynamic, weightOnly"
    ),
    (
      "hello",
      "line 1: is 'hello'; must be a mapping with the keys name, explanation, method, weights, "
        + "activations, transforms, biasCorrection, keepFloat, reduceRange, overrides"
    ),
    (
      "method: static\nweights:\n  granularty: perTensor",
      "line 3 › weights: unknown key 'granularty'; must be one of type, granularity, mapping, "
        + "estimator, scaleType"
    ),
    (
      "method: static\nweights: int8",
      "line 2 › weights: is 'int8'; must be a mapping with the keys type, granularity, mapping, "
        + "estimator, scaleType"
    ),
    (
      "method: static\nweights:\n  type: int9",
      "line 3 › weights › type: 'int9' is no code type; must be int1 … int8, int16, uint1 … uint8, "
        + "uint16 or pow2_2 … pow2_8"
    ),
    (
      "method: static\nweights:\n  type: 8",
      "line 3 › weights › type: is '8'; must be text, in quotes where it could be taken for something "
        + "else"
    ),
    (
      "method: static\nreduceRange: yes",
      "line 2 › reduceRange: is 'yes'; must be true or false"
    ),
    (
      "method: static\nreduceRange: \"true\"",
      "line 2 › reduceRange: is 'true'; must be true or false"
    ),
    (
      "method: static\nkeepFloat: first",
      "line 2 › keepFloat: is 'first'; must be a list of texts"
    ),
    (
      "method: static\nkeepFloat: [first, 3]",
      "line 2 › keepFloat: is '3'; must be text, in quotes where it could be taken for something else"
    ),
    (
      "method: static\ntransforms:\n  - crossLayerEqualization\n  - rotate",
      "line 4 › transforms: 'rotate' is no transform; must be one of crossLayerEqualization"
    ),
    (
      "method: static\ntransforms: [foldBatchNormalization]",
      "line 2 › transforms: 'foldBatchNormalization' is no transform; must be one of "
        + "crossLayerEqualization"
    ),
    (
      "method: static\ntransforms: [crossLayerEqualization(16)]",
      "line 2 › transforms: 'crossLayerEqualization(16)': the parameter of crossLayerEqualization "
        + "must be one of perChannel, limited, relu, skipped"
    ),
    (
      "method: static\ntransforms: [crossLayerEqualization(relu]",
      "line 2 › transforms: 'crossLayerEqualization(relu': the parameter of crossLayerEqualization "
        + "must be one of perChannel, limited, relu, skipped"
    ),
    (
      "method: static\ntransforms: [crossLayerEqualization, crossLayerEqualization(relu)]",
      "line 2 › transforms: 'crossLayerEqualization' stands twice"
    ),
    (
      "method: static\nbiasCorrection: on",
      "line 2 › biasCorrection: is 'on'; must be text, in quotes where it could be taken for something "
        + "else"
    ),
    (
      "method: dynamic\nbiasCorrection: empirical",
      "line 2 › biasCorrection: 'empirical' goes with method static alone; remove this key"
    ),
    (
      "method: dynamic\nactivations: {type: uint8}",
      "line 2 › activations: method dynamic finds uint8 ranges for activations at each run; remove this "
        + "key or use method static"
    ),
    (
      "method: weightOnly\nactivations: {type: uint8}",
      "line 2 › activations: method weightOnly leaves activations in float; remove this key or use "
        + "method static"
    ),
    (
      "method: weightOnly\nreduceRange: true",
      "line 2 › reduceRange: 'true' goes with 8-bit weights and the methods static and dynamic alone; "
        + "remove this key"
    ),
    (
      "method: static\nweights: {type: pow2_4, mapping: affine}",
      "line 1: pow2_4 can't be affine; power-of-two codes must be symmetric"
    ),
    (
      "method: static\noverrides:\n  - keepFloat: true",
      "line 3 › overrides[0]: the key match is missing; must be a node's name, operator:NAME, first or "
        + "last"
    ),
    (
      "method: static\noverrides:\n  - match: a",
      "line 3 › overrides[0]: changes nothing; must have one of the keys keepFloat, weights, activations"
    ),
    (
      "method: static\noverrides:\n  - match: a\n    weights: {bits: 4}",
      "line 4 › overrides[0] › weights: unknown key 'bits'; must be one of type, granularity, mapping, "
        + "estimator, scaleType"
    ),
    (
      "method: static\noverrides:\n  - match: a\n    activations: {type: uint1, mapping: symmetric}",
      "line 3 › overrides[0]: uint1 can't be symmetric; codes of one bit must be affine"
    ),
    ("method: static\nmethod: dynamic", "line 1: the key 'method' stands twice; remove one"),
    ("method: [static", "line 2: is no YAML: did not find expected ',' or ']' at column 1"),
    (
      "method: static\n<<: {name: x}",
      "line 2: unknown key '<<'; must be one of name, explanation, method, weights, activations, "
        + "transforms, biasCorrection, keepFloat, reduceRange, overrides"
    ),
    (
      "method: static\n[a, b]: c",
      "line 2: unknown key a list; must be one of name, explanation, method, weights, activations, "
        + "transforms, biasCorrection, keepFloat, reduceRange, overrides"
    ),
  ]

  @Test(arguments: refused.indices) func saysWhatIsWrong(_ index: Int) {
    let (yaml, message) = Self.refused[index]
    #expect {
      _ = try Recipe(yaml: yaml)
    } throws: { error in
      if "\(error)" != message { Issue.record("\(yaml)\n\(error)") }
      return error is RecipeError
    }
  }

  @Test func everyMisspeltKeyIsRefused() throws {
    let lines = RecipeTests.everything.split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    var refused = 0
    for (number, line) in lines.enumerated() {
      // Every word before a colon outside of quotes is a key.
      for colon in line.indices where line[colon] == ":" {
        let key = line[..<colon].reversed().prefix { $0.isLetter }
        let isQuoted = line[..<colon].count { $0 == "\"" } % 2 == 1
        guard !key.isEmpty, !isQuoted else { continue }
        var misspelt = lines
        misspelt[number].insert("x", at: colon)
        #expect {
          try Recipe(yaml: misspelt.joined(separator: "\n"))
        } throws: { error in
          refused += 1
          return "\(error)".contains("unknown key '\(String(key.reversed()))x'")
        }
      }
    }
    #expect(refused == 34)
  }

  @Test func cutTextNeverCrashes() {
    let text = RecipeTests.everything
    for end in text.indices { _ = try? Recipe(yaml: String(text[..<end])) }
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "]) func deepNestingNeverCrashes(_ opening: String) {
    #expect(throws: RecipeError.self) {
      try Recipe(yaml: String(repeating: opening, count: 50_000))
    }
  }

  @Test func aliasesThatMultiplyNeverCrash() {
    var text = "name: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for letter in "bcdefgh" {
      let previous = Character(UnicodeScalar(letter.asciiValue! - 1))
      text += "\(letter): &\(letter) ["
      text += [String](repeating: "*\(previous)", count: 10).joined(separator: ", ") + "]\n"
    }
    #expect(throws: RecipeError.self) { try Recipe(yaml: text) }
  }
}
