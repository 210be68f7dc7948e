import NumberFormats
import Tensors
import Yams

extension Recipe {
  private enum Keys {
    static let recipe = [
      "name", "explanation", "method", "weights", "activations", "transforms", "biasCorrection",
      "keepFloat", "reduceRange", "overrides",
    ]
    static let weights = ["type", "granularity", "mapping", "estimator", "scaleType"]
    static let activations = ["type", "mapping", "estimator"]
    static let override = ["match", "keepFloat", "weights", "activations"]
  }

  /// Longer text is no recipe.
  private static let longest = 1 << 18

  /// The recipe that a file holds. Throws ``FileError`` where it can't be read and ``RecipeError`` as ``init(yaml:)`` does.
  public init(contentsOf path: String) throws {
    let file = try MappedFile(path: path)
    self = try located(path) {
      guard file.byteCount <= Self.longest, let text = String(validating: file.bytes, as: UTF8.self)
      else { throw RecipeError(.invalidSyntax, "is no recipe; must be YAML in UTF-8") }
      return try Recipe(yaml: text)
    }
  }

  /// The recipe that YAML text holds.
  ///
  /// `method` must be there; what else is left out is as in ``Recipe/Defaults``. Throws ``RecipeError``, which names the line
  /// and the key, where the text is no YAML, a key is unknown, a value is not among those allowed, or parts contradict each
  /// other.
  public init(yaml text: String) throws {
    guard let root = try Self.composed(text) else {
      throw RecipeError(.missingKey, "is empty; a recipe must at least name its method")
    }
    let keys = try StrictMapping(root, [], known: Keys.recipe)
    guard let method = try keys.value("method", { try Self.choice($0, Method.self) }) else {
      throw keys.error(
        .missingKey, "the key method is missing; must be one of \(Self.names(Method.self))")
    }
    self.method = method
    name = try keys.text("name") ?? "custom"
    explanation = try keys.text("explanation") ?? ""
    weights = Defaults.weights
    activations = method == .static ? Defaults.activations : nil
    transforms = try keys.values("transforms", Self.transform) ?? []
    biasCorrection =
      try keys.value("biasCorrection") { try Self.choice($0, BiasCorrection.self) }
      ?? Defaults.biasCorrection(of: method)
    keepFloat = try keys.values("keepFloat") { try NodePattern($0) } ?? []
    reduceRange = try keys.flag("reduceRange") ?? false
    overrides = []
    if let changes = try Self.weightChanges(keys) { weights = changes.applied(to: weights) }
    if let changes = try Self.activationChanges(keys, method), let activations {
      self.activations = changes.applied(to: activations)
    }
    try checkParts(keys)
    overrides =
      try keys.mappings("overrides", known: Keys.override)?.map { try override($0) } ?? []
  }

  private static func composed(_ text: String) throws -> Node? {
    do {
      return try compose(yaml: text)
    } catch let error as YamlError {
      throw RecipeError(error)
    }
  }

  // MARK: Parts

  private static func weightChanges(_ keys: StrictMapping) throws -> WeightChanges? {
    guard let keys = try keys.mapping("weights", known: Keys.weights) else { return nil }
    var changes = WeightChanges()
    changes.type = try keys.value("type") { try CodeType(name: $0) }
    changes.granularity = try keys.value("granularity") { try Granularity.Kind(name: $0) }
    changes.mapping = try keys.value("mapping") { try Mapping(name: $0) }
    changes.estimator = try keys.value("estimator") { try RangeEstimatorChoice(name: $0) }
    changes.scaleType = try keys.value("scaleType") { try ScaleType(name: $0) }
    return changes
  }

  private static func activationChanges(
    _ keys: StrictMapping, _ method: Method
  ) throws -> ActivationChanges? {
    guard let found = try keys.mapping("activations", known: Keys.activations) else { return nil }
    guard method == .static else {
      let reason =
        method == .dynamic
        ? "finds uint8 ranges for activations at each run" : "leaves activations in float"
      throw keys.error(
        .contradiction, "method \(method.rawValue) \(reason); remove this key or use method static",
        key: "activations")
    }
    var changes = ActivationChanges()
    changes.type = try found.value("type") { try CodeType(name: $0) }
    changes.mapping = try found.value("mapping") { try Mapping(name: $0) }
    changes.estimator = try found.value("estimator") { try RangeEstimatorChoice(name: $0) }
    return changes
  }

  private func override(_ keys: StrictMapping) throws -> Override {
    guard let match = try keys.value("match", { try NodePattern($0) }) else {
      throw keys.error(
        .missingKey, "the key match is missing; must be a node's name, operator:NAME, first or last"
      )
    }
    let override = Override(
      match: match, keepFloat: try keys.flag("keepFloat"), weights: try Self.weightChanges(keys),
      activations: try Self.activationChanges(keys, method))
    let isEmpty =
      override.keepFloat == nil && override.weights ?? WeightChanges() == WeightChanges()
      && override.activations ?? ActivationChanges() == ActivationChanges()
    guard !isEmpty else {
      throw keys.error(
        .missingKey, "changes nothing; must have one of the keys keepFloat, weights, activations")
    }
    let settings = Settings(
      weights: override.weights?.applied(to: weights) ?? weights,
      activations: activations.map { override.activations?.applied(to: $0) ?? $0 },
      keepFloat: false, reason: "")
    try Self.check(settings, keys)
    return override
  }

  // MARK: Checks

  private func checkParts(_ keys: StrictMapping) throws {
    try Self.check(
      Settings(weights: weights, activations: activations, keepFloat: false, reason: ""), keys)
    if biasCorrection != .none && method != .static {
      throw keys.error(
        .contradiction,
        "'\(biasCorrection.rawValue)' goes with method static alone; remove this key",
        key: "biasCorrection")
    }
    if reduceRange && (method == .weightOnly || weights.type.bitWidth != 8) {
      throw keys.error(
        .contradiction,
        "'true' goes with 8-bit weights and the methods static and dynamic alone; remove this key",
        key: "reduceRange")
    }
    let names = transforms.map(RecipeTransforms.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw keys.error(.contradiction, "'\(twice)' stands twice", key: "transforms")
    }
  }

  private static func check(_ settings: Settings, _ keys: StrictMapping) throws {
    do {
      try settings.check()
    } catch let error as NumberFormatError {
      throw keys.error(.contradiction, error.message)
    }
  }

  // MARK: Words

  private static func transform(_ name: String) throws -> String {
    _ = try RecipeTransforms.transform(name)
    return name
  }

  private static func names<Choice: CaseIterable & RawRepresentable<String>>(
    _ type: Choice.Type
  ) -> String { Choice.allCases.map(\.rawValue).joined(separator: ", ") }

  private static func choice<Choice: CaseIterable & RawRepresentable<String>>(
    _ text: String, _ type: Choice.Type
  ) throws -> Choice {
    guard let choice = Choice(rawValue: text) else {
      throw RecipeError(.invalidValue, "is '\(text)'; must be one of \(names(type))")
    }
    return choice
  }
}

extension RecipeError {
  /// What the YAML parser found, in one line.
  fileprivate init(_ error: YamlError) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(
        .invalidSyntax, "is no YAML: \(problem) at column \(mark.column)",
        path: ["line \(mark.line)"])
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
      self.init(
        .invalidSyntax, "the key \(keys) stands twice; remove one",
        path: ["line \(context.mark.line)"])
    default:
      self.init(.invalidSyntax, "is no YAML; see `tessera recipes w8a8` for an example")
    }
  }
}
