import Graphs
import Tensors

extension ModelSummary {
  /// The version of what the JSON means; changes when a key's name or meaning does.
  public static let schema = "tessera.inspection/2"

  /// The summary as JSON; bytes in keys that end in `_bytes`, counts in keys that end in `_count`.
  public var json: String {
    JSON.members([
      "schema": .string(Self.schema), "name": .string(name),
      "producer": .string(producer),
      "opsets": .array(
        opsets.sorted { $0.key < $1.key }.map {
          .members(["domain": .string($0.key), "version": .int($0.value)])
        }),
      "inputs": .array(inputs.map(Self.json)), "outputs": .array(outputs.map(Self.json)),
      "parameter_count": .int(parameterCount),
      "parameters_by_type": .array(
        constantBytes.map {
          .members([
            "type": .string($0.type), "count": .int($0.count), "size_bytes": .int($0.bytes),
          ])
        }),
      "multiply_add_count": .int(multiplications),
      "multiply_add_count_is_complete": .bool(!lacksMultiplications),
      "operators": .array(
        operators.map {
          .members([
            "operator": .string("\($0.operation)"), "count": .int($0.count),
            "supported": .bool($0.isSupported), "parameter_count": .int($0.parameterCount),
            "multiply_add_count": $0.multiplications.map(JSON.int),
          ])
        }),
      "nodes": .array(
        nodes.map {
          .members([
            "node": .string($0.label), "operator": .string("\($0.operation)"),
            "outputs": .array($0.outputs.map(Self.json)),
            "parameter_count": .int($0.parameterCount),
            "multiply_add_count": $0.multiplications.map(JSON.int),
          ])
        }),
      "constants": .array(tensors.map(\.json)),
      "quantized_values": .array(quantizedValues.map(\.json)),
    ]).text
  }

  private static func json(_ value: Graph.Value) -> JSON {
    .members(["name": .string(value.name), "type": .string("\(value.type)")])
  }
}

extension TensorSummary {
  fileprivate var json: JSON {
    .members([
      "name": .string(name), "type": .string(elementType.rawValue),
      "shape": .array(shape.dimensions.map { .int($0) }), "size_bytes": .int(byteCount),
      "nan_count": .int(nonFinite.nanCount),
      "infinity_count": .int(nonFinite.infinityCount), "least": spread.map { .number($0.minimum) },
      "greatest": spread.map { .number($0.maximum) }, "mean": spread.map { .number($0.mean) },
      "deviation": spread.map { .number($0.deviation) },
      "histogram": spread.map { .array($0.histogram.counts.map { .int($0) }) },
      "quantization": quantization.map(\.json),
    ])
  }
}

extension QuantizationSummary {
  fileprivate var json: JSON {
    .members([
      "name": .string(name), "type": .string(code.rawValue), "granularity": .string(granularity),
      "least_scale": .number(scales.lowerBound), "greatest_scale": .number(scales.upperBound),
      "least_zero_point": .int(zeroPoints.lowerBound),
      "greatest_zero_point": .int(zeroPoints.upperBound),
      "least": range.map { .number($0.lowerBound) },
      "greatest": range.map { .number($0.upperBound) },
    ])
  }
}
