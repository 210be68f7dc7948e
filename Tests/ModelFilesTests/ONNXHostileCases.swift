import _TestSupport

/// Files made to break a reader, and what it must say.
enum ONNXHostileCases {
  typealias Case = ONNXHostileTests.Case

  static let all = wire + models + nodes + constants + external

  private static func damaged(_ found: String, _ byte: Int) -> String {
    "\(found) at byte \(byte): the file is cut off, changed, or not an ONNX model; "
      + "copy or export it again"
  }

  private static let wire: [Case] = [
    Case("empty", [], ": is empty; copy or export it again"),
    Case(
      "a picture", [0x89, 0x50, 0x4e, 0x47, 0x0d],
      ": " + damaged("a number that does not end", 2)),
    Case("field 0", [0x00, 0x01], ": " + damaged("a field numbered 0", 0)),
    Case("a group", [0x0b, 0x0c], ": " + damaged("a field of the unused wire type 3", 0)),
    Case(
      "a number of eleven bytes", [0x08] + Bytes(repeating: 0xff, count: 10) + [1],
      ": " + damaged("a number beyond 64 bits", 1)),
    Case(
      "a number that does not end", [0x08, 0xff, 0xff],
      ": " + damaged("a number that does not end", 1)),
    Case(
      "a length beyond the end", [0x3a, 0x05, 0x00],
      ": " + damaged("a field of 5 bytes where 1 are left", 1)),
    Case(
      "a length of 2⁶³", [0x3a] + Wire.varint(1 << 63),
      ": " + damaged("a field of 9223372036854775808 bytes where 0 are left", 1)),
    Case(
      "a length beyond its message", Wire.bytes(7, [0x0a, 0x09]) + ONNXWire.opset(17),
      ": " + damaged("a field of 9 bytes where 0 are left", 3)),
    Case(
      "a name that is a number", Wire.bytes(7, Wire.int(2, 5)) + ONNXWire.opset(17),
      ": " + damaged("a whole number in field 2, which holds bytes,", 2)),
    Case(
      "a name that is not UTF-8",
      Wire.bytes(7, Wire.bytes(2, [0xc3, 0x28])) + ONNXWire.opset(17),
      ": " + damaged("a name or text that is not UTF-8", 2)),
  ]

  private static let version =
    ": does not say which version of ONNX's own operators it is written in (opset_import without "
    + "the default domain); export it again with a current exporter"

  private static let models: [Case] = [
    Case("no opset", Wire.bytes(7, ONNXWire.graph()), version),
    Case(
      "another's opset alone", Wire.bytes(7, ONNXWire.graph()) + ONNXWire.opset(1, "com.microsoft"),
      version),
    Case(
      "opset 6", ONNXWire.model(ONNXWire.graph(), opset: 6),
      ": is written in opset 6; supported are 7 to 26: export it in opset 17, or convert it with "
        + "onnx.version_converter"),
    Case(
      "opset 27", ONNXWire.model(ONNXWire.graph(), opset: 27),
      ": is written in opset 27; supported are 7 to 26: export it in opset 17, or convert it with "
        + "onnx.version_converter"),
    Case(
      "two opsets", ONNXWire.model(ONNXWire.graph()) + ONNXWire.opset(18),
      ": is written in versions 17 and 18 of the operator set ''; must be one"),
    Case(
      "no graph", ONNXWire.opset(17),
      ": holds no graph, so it is not an ONNX model; give a file that an exporter wrote"),
    Case(
      "two graphs", Wire.bytes(7, []) + Wire.bytes(7, []) + ONNXWire.opset(17),
      ": " + damaged("a second graph", 2)),
    Case(
      "a function that is called",
      ONNXWire.model(ONNXWire.graph()) + Wire.bytes(25, Wire.text(1, "Relu")),
      " › Relu → y: calls the model's own function Relu, which is not supported; "
        + "inline it with onnx.inliner"),
    Case(
      "a sequence as input",
      ONNXWire.model(
        ONNXWire.graph(Wire.bytes(11, Wire.text(1, "q") + Wire.bytes(2, Wire.bytes(4, []))))),
      " › 'q': is a sequence, map, optional or sparse tensor; only tensors of numbers can go in "
        + "and out"),
    Case(
      graph: "texts as input", ONNXWire.value(11, "q", [1], type: 8),
      " › 'q': holds texts; only tensors of numbers can go in and out"),
    Case(
      graph: "a negative length", ONNXWire.value(11, "q", [-2]),
      ": " + damaged("an axis of length -2", 70)),
    Case(
      "names that nothing computes",
      ONNXWire.model(ONNXWire.graph(ONNXWire.node("Add", ["x", "q"], ["z"], name: "n"))),
      " › n: reads 'q', which no node computes and which is neither input nor constant"),
    Case(
      "nodes in a circle",
      ONNXWire.model(
        ONNXWire.graph(
          ONNXWire.node("Add", ["x", "b"], ["a"], name: "n")
            + ONNXWire.node("Neg", ["a"], ["b"], name: "m"))),
      ": nodes wait for each other: m → n → m; the graph must have no cycle"),
    Case(
      "one name for two values",
      ONNXWire.model(ONNXWire.graph(ONNXWire.node("Neg", ["x"], ["y"], name: "n"))),
      " › n: computes 'y', which another node computes too or which is an input or constant"),
  ]

  private static let nested: Bytes = {
    var graph = ONNXWire.node("Neg", ["x"], ["b"]) + ONNXWire.value(12, "b", [2])
    for _ in 0..<40 {
      graph =
        ONNXWire.node(
          "If", ["x"], ["b"], name: "n",
          [ONNXWire.attribute("then_branch", type: 5, Wire.bytes(6, graph))])
        + ONNXWire.value(12, "b", [2])
    }
    return ONNXWire.model(graph + ONNXWire.value(11, "x", [2]))
  }()

  private static func node(_ attribute: Bytes, _ type: String = "Custom") -> Bytes {
    ONNXWire.model(ONNXWire.graph(ONNXWire.node(type, [], ["z"], name: "n", [attribute])))
  }

  private static let nodes: [Case] = [
    Case(
      "graphs 41 deep", nested,
      String(repeating: " › n › attribute 'then_branch'", count: 32)
        + ": graphs are nested more than 32 deep"),
    Case(
      graph: "a node without operator", Wire.bytes(1, Wire.text(3, "n")),
      ": " + damaged("a node 'n' without an operator", 57)),
    Case(
      "an attribute of a function",
      node(ONNXWire.attribute("a", type: 2, Wire.text(21, "outer"))),
      " › n › attribute 'a': refers to an attribute of a function, which is not supported; "
        + "inline functions with onnx.inliner"),
    Case(
      "an attribute of a kind that is not known", node(ONNXWire.attribute("a", type: 11)),
      " › n › attribute 'a': is of kind 11, which is not supported"),
    Case(
      "an attribute with two values",
      node(ONNXWire.attribute("a", type: 0, Wire.int(3, 1) + Wire.float(2, 1))),
      " › n › attribute 'a': " + damaged("an attribute with 2 values and no kind", 71)),
    Case(
      "an attribute without a tensor", node(ONNXWire.attribute("a", type: 4)),
      " › n › attribute 'a': "
        + damaged("an attribute 'a' with 0 values instead of one", 71)),
    Case(
      "a Constant of texts", node(ONNXWire.attribute("value", type: 2, Wire.int(3, 1)), "Constant"),
      " › n: " + damaged("an attribute 'value' with 0 values instead of one", 73)),
    Case(
      "a Constant of another kind",
      node(ONNXWire.attribute("value_int", type: 1, Wire.float(2, 1)), "Constant"),
      " › n: "
        + damaged(
          "a Constant with the attribute 'value_int', which is unknown or of the wrong kind,", 57)),
  ]

  private static let impossible = "; the file is damaged, export it again"

  private static let constants: [Case] = [
    Case(
      constant: "gigabytes in a small file", [1 << 30], [],
      "holds 0 numbers; float32[1073741824] needs 1073741824: the file is damaged, export it again"),
    Case(
      constant: "a product that overflows", [1 << 32, 1 << 32], Wire.bytes(9, [0, 0, 0, 0]),
      "has the impossible shape [4294967296, 4294967296]" + impossible),
    Case(
      constant: "a negative length", [-1], [], "has the impossible shape [-1]" + impossible),
    Case(
      constant: "65 axes", [Int](repeating: 1, count: 65), Wire.bytes(9, [0, 0, 0, 0]),
      "has the impossible shape [1, 1, 1, 1, 1, 1, 1, 1, …]" + impossible),
    Case(
      constant: "too few bytes", [2], Wire.bytes(9, [0, 0, 0, 0]),
      "holds 4 bytes; float32[2] needs 8: the file is damaged, export it again"),
    Case(
      constant: "too many numbers", [2], Wire.bytes(4, Wire.floats([1, 2, 3])),
      "holds 3 numbers; float32[2] needs 2: the file is damaged, export it again"),
    Case(
      constant: "numbers in another type's field", [1], Wire.bytes(7, [1]),
      "holds 0 numbers; float32[1] needs 1: the file is damaged, export it again"),
    Case(
      constant: "a number out of range", [1], type: 3, Wire.int(5, 128),
      "holds 128, which is no int8; the file is damaged, export it again"),
    Case(
      constant: "a bool of 2", [2], type: 9, Wire.bytes(9, [1, 2]),
      "holds a bool other than 0 and 1; export it again"),
    Case(
      graph: "texts that leave the graph",
      ONNXWire.initializer("w", [1], type: 8, Wire.text(6, "a"))
        + ONNXWire.value(12, "w", [1]),
      ": the constant 'w' holds texts, which is not supported"),
    Case(
      graph: "a sparse constant",
      Wire.bytes(15, Wire.bytes(1, ONNXWire.tensor("w", [1], Wire.bytes(9, [0, 0, 0, 0]))))
        + ONNXWire.node("Neg", ["w"], ["z"], name: "n"),
      " › n: the constant 'w' is a sparse tensor, which is not supported"),
    Case(
      graph: "two constants of one name",
      ONNXWire.initializer("w", [0], []) + ONNXWire.initializer("w", [0], []),
      ": the constant 'w' stands twice; every value has one name of its own"),
  ]

  private static func external(_ entries: (String, String)...) -> Bytes {
    ONNXWire.external(entries)
  }

  private static func outside(_ location: String) -> String {
    "lies in '\(location)', outside the model's folder, which is not opened; put the file beside "
      + "the model and name it without '..', '/' in front or a link that leads out"
  }

  private static let external: [Case] = [
    Case(
      constant: "data in no file", [1], external(("offset", "0")),
      "lies in another file that is not named (external_data has no location)"),
    Case(
      constant: "data in a missing file", [1], external(("location", "v.bin")),
      "lies in 'v.bin', which is not in the model's folder; put that file beside the model"),
    Case(
      constant: "data beyond the end", [2], external(("location", "w.bin")),
      "takes 8 bytes from byte 0 of 'w.bin', which has 4; copy that file again"),
    Case(
      constant: "an offset beyond the end", [1],
      external(("location", "w.bin"), ("offset", "9223372036854775807")),
      "takes 4 bytes from byte 9223372036854775807 of 'w.bin', which has 4; copy that file again"),
    Case(
      constant: "another length", [1], external(("location", "w.bin"), ("length", "3")),
      "takes 3 bytes of 'w.bin'; float32[1] needs 4: the file is damaged, export it again"),
    Case(
      constant: "a negative offset", [1], external(("location", "w.bin"), ("offset", "-4")),
      "has the offset '-4' in external_data; must be a decimal number"),
    Case(
      constant: "an offset in hexadecimal", [1],
      external(("location", "w.bin"), ("offset", "0x0")),
      "has the offset '0x0' in external_data; must be a decimal number"),
    Case(
      constant: "a huge length", [1],
      external(("location", "w.bin"), ("length", "99999999999999999999")),
      "has the length '99999999999999999999' in external_data; must be a decimal number"),
    Case(
      constant: "a file in the folder above", [1], external(("location", "../w.bin")),
      outside("../w.bin")),
    Case(
      constant: "a file above a folder below", [1], external(("location", "a/../../w.bin")),
      outside("a/../../w.bin")),
    Case(
      constant: "an absolute path", [1], external(("location", "/etc/passwd")),
      outside("/etc/passwd")),
    Case(
      constant: "a link that leads out", [1], external(("location", "link.bin")),
      outside("link.bin")),
    Case(
      constant: "a name that ends early", [1], external(("location", "w.bin\0.txt")),
      outside("w.bin\\u{0}.txt")),
  ]
}
