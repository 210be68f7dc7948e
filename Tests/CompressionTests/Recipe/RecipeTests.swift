import Foundation
import NumberFormats
import Testing

@testable import Compression

@Suite struct RecipeTests {
  static let everything = """
    name: "my \\"net\\""
    explanation: "a: b # c"
    method: static
    weights: {type: int8, granularity: perGroup(64), mapping: symmetric, estimator: percentile(99.9), scaleType: float16}
    activations: {type: uint8, mapping: affine, estimator: nSigma(4)}
    transforms: [crossLayerEqualization(relu)]
    biasCorrection: empirical
    keepFloat: ["operator:Softmax", first, "*head*", "no"]
    reduceRange: true
    overrides:
      - match: last
        weights: {type: int4, estimator: mse}
        activations: {mapping: symmetric}
      - match: "operator:Gemm"
        keepFloat: true
      - match: "block?3*"
        weights: {scaleType: float32, mapping: affine, granularity: perChannel}
        activations: {type: uint16, estimator: entropy}
    """

  @Test func presetsHaveUniqueNamesAndExplanations() {
    #expect(Set(Recipe.all.map(\.name)).count == Recipe.all.count)
    #expect(Recipe.all.allSatisfy { $0.explanation.hasSuffix(".") })
  }

  @Test(arguments: Recipe.all) func presetsAreReadFromTheirOwnYAML(_ recipe: Recipe) throws {
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
    #expect(try Recipe(named: recipe.name) == recipe)
  }

  @Test func everyKeyIsReadAndWritten() throws {
    let recipe = try Recipe(yaml: Self.everything)
    #expect(recipe.name == "my \"net\"" && recipe.explanation == "a: b # c")
    #expect(recipe.weights.granularity == .perGroup(size: 64))
    #expect(recipe.weights.scaleType == .float16)
    #expect(recipe.activations?.estimator.name == "nSigma(4)")
    #expect(recipe.keepFloat == [.operation("Softmax"), .first, .name("*head*"), .name("no")])
    #expect(recipe.transforms == ["crossLayerEqualization(relu)"])
    #expect(recipe.reduceRange && recipe.biasCorrection == .empirical)
    #expect(recipe.overrides.map(\.match) == [.last, .operation("Gemm"), .name("block?3*")])
    #expect(recipe.overrides[2].weights?.type == nil)
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
  }

  @Test func namesOfAnyCharactersRoundTrip() throws {
    for text in [
      "", "true", "~", "12", "1e3", "-", "a\nb\t\"\\", "\u{1}\u{7F}\u{85}é😀", " x ", "null",
    ] {
      var recipe = try Recipe(named: "w8a8")
      recipe.name = text
      recipe.explanation = text
      #expect(try Recipe(yaml: recipe.yaml) == recipe, "\(text)")
    }
  }

  @Test func leftOutKeysAreDefaults() throws {
    let recipe = try Recipe(yaml: "method: static")
    #expect(recipe.name == "custom" && recipe.explanation == "")
    #expect(recipe.weights == Recipe.Defaults.weights)
    #expect(recipe.activations == Recipe.Defaults.activations)
    #expect(recipe.transforms.isEmpty && recipe.overrides.isEmpty && !recipe.reduceRange)
    #expect(recipe.biasCorrection == .empirical)
    #expect(try Recipe(yaml: "method: dynamic").biasCorrection == .none)
    #expect(try Recipe(yaml: "method: weightOnly").activations == nil)
  }

  @Test func dataIsNeededForRangesAndCorrections() throws {
    #expect(try Recipe(named: "w8a8").needsData)
    #expect(try !Recipe(named: "w8").needsData)
    #expect(try !Recipe(named: "w8a8-dynamic").needsData)
    #expect(
      try !Recipe(yaml: "method: weightOnly\ntransforms: [crossLayerEqualization]").needsData)
    #expect(
      try Recipe(yaml: "method: weightOnly\ntransforms: [crossLayerEqualization(limited)]")
        .needsData)
  }

  @Test func unknownRecipesListTheKnown() {
    #expect {
      try Recipe(named: "w8a9")
    } throws: { error in
      "\(error)"
        == "'w8a9' is no recipe; must be one of w8a8, w8a8-per-tensor, w8a8-dynamic, w8a16, "
        + "w8, w4, w4-group64, w4-group128, w4-per-channel, or a YAML file"
    }
  }

  @Test func filesAreNamedInErrors() throws {
    let path = NSTemporaryDirectory() + "recipe-\(UUID().uuidString).yaml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("method: static\nmethods: dynamic\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect {
      try Recipe(contentsOf: path)
    } throws: { "\($0)".hasPrefix("\(path) › line 2: unknown key 'methods'; must be one of ") }
    try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: path))
    #expect {
      try Recipe(contentsOf: path)
    } throws: { "\($0)" == "\(path): is no recipe; must be YAML in UTF-8" }
    try Data(try Recipe(named: "w4").yaml.utf8).write(to: URL(fileURLWithPath: path))
    #expect(try Recipe(contentsOf: path) == Recipe(named: "w4"))
  }

  // MARK: Settings

  @Test func laterOverridesWin() throws {
    let recipe = try Recipe(
      yaml: """
        method: static
        keepFloat: ["operator:Softmax", last]
        overrides:
          - match: "*"
            weights: {type: int4}
          - match: "head*"
            weights: {type: uint8, mapping: affine}
            activations: {type: int8}
            keepFloat: false
        """)
    let body = try recipe.settings(for: NodeIdentity(name: "body", operation: "Conv"))
    #expect(body.weights.type == .int4 && body.weights.mapping == .symmetric && !body.keepFloat)
    #expect(body.activations?.type == .uint8)
    let head = try recipe.settings(
      for: NodeIdentity(name: "head.1", operation: "Gemm", isLast: true))
    #expect(head.weights.type == .uint8 && head.weights.mapping == .affine)
    #expect(head.activations?.type == .int8 && !head.keepFloat && head.reason == "")
    let softmax = try recipe.settings(for: NodeIdentity(name: "s", operation: "Softmax"))
    #expect(softmax.keepFloat && softmax.reason == "keepFloat 'operator:Softmax'")
  }

  @Test func overridesSayWhyANodeStaysFloat() throws {
    let recipe = try Recipe(
      yaml: "method: static\noverrides: [{match: \"a*\", keepFloat: true}]")
    let settings = try recipe.settings(for: NodeIdentity(name: "ab", operation: "Conv"))
    #expect(settings.keepFloat && settings.reason == "override 'a*'")
  }

  @Test func reducedRangeTakesABitFromEightBitWeights() throws {
    let recipe = try Recipe(
      yaml: """
        method: static
        reduceRange: true
        overrides: [{match: fine, weights: {type: int16}}]
        """)
    let plain = try recipe.settings(for: NodeIdentity(name: "x", operation: "Conv"))
    #expect(plain.weights.type == .signed(bits: 7))
    #expect(try plain.weights.scheme(outputAxis: 0, inputAxis: 1).codes == -63...63)
    let fine = try recipe.settings(for: NodeIdentity(name: "fine", operation: "Conv"))
    #expect(fine.weights.type == .int16)
  }

  @Test func overridesThatTogetherAreImpossibleAreRefused() throws {
    let recipe = try Recipe(
      yaml: """
        method: weightOnly
        overrides:
          - {match: "a*", weights: {type: pow2_4}}
          - {match: "*b", weights: {mapping: affine}}
        """)
    #expect(throws: Never.self) {
      try recipe.settings(for: NodeIdentity(name: "aa", operation: "Conv"))
    }
    #expect {
      try recipe.settings(for: NodeIdentity(name: "ab", operation: "Conv"))
    } throws: {
      "\($0)"
        == "ab: the overrides that match give pow2_4 can't be affine; power-of-two codes must be "
        + "symmetric"
    }
  }

  @Test func patternsThatMatchNothingAreReported() throws {
    let recipe = try Recipe(
      yaml: """
        name: mine
        method: static
        keepFloat: ["operator:Softmax", "hed*"]
        overrides: [{match: last, keepFloat: true}, {match: conv9, keepFloat: true}]
        """)
    let nodes = [
      NodeIdentity(name: "conv1", operation: "Conv", isFirst: true),
      NodeIdentity(name: "head", operation: "Softmax", isLast: true),
    ]
    #expect(recipe.unmatchedPatterns(among: nodes) == [.name("hed*"), .name("conv9")])
    #expect {
      try recipe.requirePatternsMatch(nodes)
    } throws: {
      "\($0)"
        == "mine: no node matches keepFloat 'hed*', overrides[1] 'conv9' (did you mean 'conv1'?); correct "
        + "the pattern or remove it (tessera inspect --nodes lists them)"
    }
  }

  @Test func transformsAreMadeByName() throws {
    for form in RecipeTransforms.all {
      for text in [form.name] + form.parameters.map({ "\(form.name)(\($0))" }) {
        let recipe = try Recipe(yaml: "method: static\ntransforms: [\(text)]")
        #expect(try recipe.equivalentTransforms().count == 1)
        #expect(try Recipe(yaml: recipe.yaml) == recipe)
      }
    }
    for clipped in CrossLayerEqualization.ClippedChannels.allCases {
      let made = try RecipeTransforms.transform("crossLayerEqualization(\(clipped.rawValue))")
      #expect((made as? CrossLayerEqualization)?.clippedChannels == clipped)
      #expect(made.needsData == (clipped == .limited))
    }
    let standard = try RecipeTransforms.transform("crossLayerEqualization")
    #expect((standard as? CrossLayerEqualization)?.clippedChannels == .perChannel)
  }
}
