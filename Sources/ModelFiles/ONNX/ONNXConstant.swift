import Tensors

/// What the file holds where a tensor stands.
enum ONNXConstant {
  case tensor(Tensor)
  /// Something that is not a tensor of numbers: why, as in "holds texts". An error only where it is used.
  case unreadable(String)

  /// What is the matter with elements of an ONNX type that has no ``ElementType``.
  static func unreadableType(_ code: Int) -> String {
    switch code {
    case 8: "holds texts"
    case 14, 15: "holds complex numbers"
    default: "holds elements of the unknown type \(code)"
    }
  }
}
