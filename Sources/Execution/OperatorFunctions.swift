import Graphs

/// The function of every operator: each family's own list, joined. The one place to register a family.
enum OperatorFunctions {
  static let all: [OperatorName: OperatorFunction] = {
    let families: [[OperatorFunction]] = [
      activationFunctions,
      arithmeticFunctions,
      convolutionFunctions,
      matrixProductFunctions,
      normalizationFunctions,
      poolingFunctions,
      recurrentFunctions,
      bitFunctions,
      logicFunctions,
      mathFunctions,
      softmaxFunctions,
      quantizationFunctions,
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
