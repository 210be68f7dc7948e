import Graphs

/// The function of every operator: each family's own list, joined. The one place to register a family.
enum OperatorFunctions {
  static let all: [OperatorName: OperatorFunction] = {
    // These compute in float32 or wider, whatever the inputs.
    let computing: [[OperatorFunction]] = [
      activationFunctions,
      arithmeticFunctions,
      attentionFunctions,
      convolutionFunctions,
      logicFunctions,
      mathFunctions,
      matrixProductFunctions,
      normalizationFunctions,
      poolingFunctions,
      recurrentFunctions,
      softmaxFunctions,
    ]
    let families: [[OperatorFunction]] = [
      computing.joined().map { $0.widening() },
      bitFunctions,
      quantizationFunctions,
      quantizedProductFunctions,
      quantizedElementwiseFunctions,
      weightOnlyFunctions,
      reshapingFunctions,
      transposingFunctions,
      joiningFunctions,
      slicingFunctions,
      gatheringFunctions,
      scatteringFunctions,
      generatingFunctions,
      castingFunctions,
      reducingFunctions,
      rankingFunctions,
      cumulatingFunctions,
      resamplingFunctions,
      selectingFunctions,
      indexAlgebraFunctions,
      controlFlowFunctions,
    ]
    return Dictionary(
      families.joined().map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in preconditionFailure("\(first.name) stands twice") })
  }()
}
