import Tensors

/// A network: its graph, and what a file says about it.
public struct Model: Sendable {
  /// What is computed.
  public var graph: Graph

  /// The version of each operator set that nodes are written in, by domain; `""` is ONNX's own.
  public var opsets: [String: Int]

  /// Free keys and values that travel with the model.
  public var metadata: [String: String]

  /// Who wrote the model.
  public var producer: Producer

  /// The program that wrote a model.
  public struct Producer: Hashable, Sendable {
    /// The program's name.
    public var name: String
    /// The program's version.
    public var version: String
    /// A text for people.
    public var documentation: String

    /// The program of the given name.
    public init(name: String = "", version: String = "", documentation: String = "") {
      self.name = name
      self.version = version
      self.documentation = documentation
    }
  }

  /// A model of the given graph, written in version `opset` of ONNX's own operators.
  public init(_ graph: Graph, opset: Int = 17) {
    self.graph = graph
    opsets = ["": opset]
    metadata = [:]
    producer = Producer()
  }

  /// The version of ONNX's own operators that the graph is written in.
  public var opset: Int {
    get { opsets[""] ?? 1 }
    set { opsets[""] = newValue }
  }
}
