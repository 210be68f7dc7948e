extension Evaluation {
  /// The version of what the JSON means; changes when a key's meaning does.
  public static let schema = "tessera.evaluation/1"

  /// The figures as JSON; units stand in the keys, shares go from 0 to 1. What is not finite is null.
  public var json: String {
    let figures = Metric.allCases.compactMap { metric in
      values[metric].map { JSON.Member(key: metric.key, value: .number($0)) }
    }
    return JSON.object(
      [
        .init(key: "schema", value: .string(Self.schema)),
        .init(key: "sample_count", value: .int(sampleCount)),
        .init(key: "non_finite_count", value: .int(nonFiniteCount)),
      ] + figures
    ).text
  }
}
