public import Tensors

/// The value of one of a node's settings.
public indirect enum AttributeValue: Sendable {
  case int(Int)
  case float(Float)
  /// Bytes that are meant as UTF-8 text.
  case string(String)
  case tensor(Tensor)
  case graph(Graph)
  case ints([Int])
  case floats([Float])
  case strings([String])
  case tensors([Tensor])
  case graphs([Graph])

  /// The graphs that the value holds.
  var graphs: [Graph] {
    switch self {
    case .graph(let graph): [graph]
    case .graphs(let graphs): graphs
    default: []
    }
  }

  /// The value with each graph in it replaced.
  func mapGraphs(_ transform: (Graph) throws -> Graph) rethrows -> AttributeValue {
    switch self {
    case .graph(let graph): .graph(try transform(graph))
    case .graphs(let graphs): .graphs(try graphs.map(transform))
    default: self
    }
  }

  /// What kind of value it is, for messages.
  var kind: String {
    switch self {
    case .int: "an integer"
    case .float: "a number"
    case .string: "a text"
    case .tensor: "a tensor"
    case .graph: "a graph"
    case .ints: "a list of integers"
    case .floats: "a list of numbers"
    case .strings: "a list of texts"
    case .tensors: "a list of tensors"
    case .graphs: "a list of graphs"
    }
  }
}
