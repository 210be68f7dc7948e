public import NumberFormats

/// What is asked of a compression: everything but the model and the data.
///
/// Read from and written as YAML, strictly: see ``init(yaml:)`` and ``yaml``. What a single node gets follows from
/// ``settings(for:)``.
public struct Recipe: Hashable, Sendable {
  /// What is stored in codes, and when activations get theirs.
  public enum Method: String, Hashable, Sendable, CaseIterable {
    /// Weights and activations, with ranges from calibration data.
    case `static`
    /// Weights and activations, with ranges found anew at each run.
    case dynamic
    /// Weights alone; computed in float.
    case weightOnly
  }

  /// How the error that quantized weights add to the mean of each output is taken back.
  public enum BiasCorrection: String, Hashable, Sendable, CaseIterable {
    /// It is not.
    case none
    /// The mean difference on calibration data is added to the bias.
    case empirical
  }

  /// How weights become codes.
  public struct Weights: Hashable, Sendable {
    /// The codes.
    public var type: CodeType
    /// Which weights share a scale; the axes follow from the operator.
    public var granularity: Granularity.Kind
    /// Where zero lies.
    public var mapping: Mapping
    /// How the range is chosen.
    public var estimator: RangeEstimatorChoice
    /// How scales are stored.
    public var scaleType: ScaleType
  }

  /// How activations become codes, one scale for each tensor.
  public struct Activations: Hashable, Sendable {
    /// The codes.
    public var type: CodeType
    /// Where zero lies.
    public var mapping: Mapping
    /// How the range is chosen.
    public var estimator: RangeEstimatorChoice
  }

  /// The name, for people.
  public var name: String
  /// What the recipe is for, for people.
  public var explanation: String
  /// What is stored in codes.
  public var method: Method
  /// How weights become codes, as far as no override says otherwise.
  public var weights: Weights
  /// How activations become codes, as far as no override says otherwise; nil unless the method is static.
  public var activations: Activations?
  /// The transforms that are applied first, in order, as `name` or `name(word)`; see ``RecipeTransforms``.
  public var transforms: [String]
  /// Whether biases take back what quantized weights shift.
  public var biasCorrection: BiasCorrection
  /// Which nodes stay float, as far as no override says otherwise.
  public var keepFloat: [NodePattern]
  /// Whether 8-bit weights use one bit less, so that processors which add pairs of products in 16 bits (x86 before VNNI)
  /// compute right.
  public var reduceRange: Bool
  /// What is different for some nodes: where several match, later ones win.
  public var overrides: [Override]

  /// Whether calibration data is needed.
  public var needsData: Bool {
    method == .static || biasCorrection != .none
      || transforms.contains { (try? RecipeTransforms.transform($0))?.needsData == true }
  }
}

// MARK: - Overrides

extension Recipe {
  /// What is different for the nodes that a pattern matches.
  public struct Override: Hashable, Sendable {
    /// Which nodes.
    public var match: NodePattern
    /// Whether they stay float; nil leaves that as it is.
    public var keepFloat: Bool?
    /// What is different of their weights.
    public var weights: WeightChanges?
    /// What is different of the activations they read and compute.
    public var activations: ActivationChanges?

    /// A difference for the nodes that match.
    public init(
      match: NodePattern, keepFloat: Bool? = nil, weights: WeightChanges? = nil,
      activations: ActivationChanges? = nil
    ) {
      (self.match, self.keepFloat) = (match, keepFloat)
      (self.weights, self.activations) = (weights, activations)
    }
  }

  /// What is different of weights; nil leaves a part as it is.
  public struct WeightChanges: Hashable, Sendable {
    /// The codes.
    public var type: CodeType?
    /// Which weights share a scale.
    public var granularity: Granularity.Kind?
    /// Where zero lies.
    public var mapping: Mapping?
    /// How the range is chosen.
    public var estimator: RangeEstimatorChoice?
    /// How scales are stored.
    public var scaleType: ScaleType?

    /// No difference.
    public init() {}

    func applied(to weights: Weights) -> Weights {
      Weights(
        type: type ?? weights.type, granularity: granularity ?? weights.granularity,
        mapping: mapping ?? weights.mapping, estimator: estimator ?? weights.estimator,
        scaleType: scaleType ?? weights.scaleType)
    }
  }

  /// What is different of activations; nil leaves a part as it is.
  public struct ActivationChanges: Hashable, Sendable {
    /// The codes.
    public var type: CodeType?
    /// Where zero lies.
    public var mapping: Mapping?
    /// How the range is chosen.
    public var estimator: RangeEstimatorChoice?

    /// No difference.
    public init() {}

    func applied(to activations: Activations) -> Activations {
      Activations(
        type: type ?? activations.type, mapping: mapping ?? activations.mapping,
        estimator: estimator ?? activations.estimator)
    }
  }
}
