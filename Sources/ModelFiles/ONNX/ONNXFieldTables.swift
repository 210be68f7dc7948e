/// The numbers that `onnx.proto` gives to fields, by message.
///
/// Drawn as a tree, with what a reader needs:
/// ```
/// Model ─ opset imports, metadata, producer
///  └ Graph ─ inputs, outputs, value infos ─ Type ─ Tensor type ─ Shape ─ Dimension
///     ├ Node ─ Attribute ─ Tensor | Graph
///     └ initializers: Tensor ─ dims, type, raw or typed data, or where the data lies
/// ```
/// Source: the ONNX project's `onnx.proto`, IR version 13.
enum ONNXField {
  enum Model {
    static let irVersion = 1
    static let producerName = 2
    static let producerVersion = 3
    static let documentation = 6
    static let graph = 7
    static let opsetImport = 8
    static let metadata = 14
    static let functions = 25
  }

  enum OperatorSet {
    static let domain = 1
    static let version = 2
  }

  enum Entry {
    static let key = 1
    static let value = 2
  }

  enum Function {
    static let name = 1
    static let domain = 10
  }

  enum Graph {
    static let node = 1
    static let name = 2
    static let initializer = 5
    static let input = 11
    static let output = 12
    static let valueInfo = 13
    static let sparseInitializer = 15
  }

  enum Node {
    static let input = 1
    static let output = 2
    static let name = 3
    static let operatorType = 4
    static let attribute = 5
    static let domain = 7
  }

  enum Attribute {
    static let name = 1
    static let float = 2
    static let int = 3
    static let string = 4
    static let tensor = 5
    static let graph = 6
    static let floats = 7
    static let ints = 8
    static let strings = 9
    static let tensors = 10
    static let graphs = 11
    static let type = 20
    static let reference = 21
  }

  enum Tensor {
    static let dimensions = 1
    static let dataType = 2
    static let floatData = 4
    static let int32Data = 5
    static let stringData = 6
    static let int64Data = 7
    static let name = 8
    static let rawData = 9
    static let doubleData = 10
    static let uint64Data = 11
    static let externalData = 13
    static let dataLocation = 14
  }

  enum SparseTensor {
    static let values = 1
  }

  enum ValueInfo {
    static let name = 1
    static let type = 2
  }

  enum ValueType {
    static let tensor = 1
    static let elementType = 1
    static let shape = 2
    static let dimension = 1
    static let length = 1
    static let lengthName = 2
  }
}

/// The numbers that `onnx.proto` gives to the kinds of attributes.
enum ONNXAttributeType: Int, CaseIterable {
  case float = 1
  case int = 2
  case string = 3
  case tensor = 4
  case graph = 5
  case floats = 6
  case ints = 7
  case strings = 8
  case tensors = 9
  case graphs = 10
}
