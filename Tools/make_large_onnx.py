"""Write a large ONNX model, a chain of MatMul and Relu, without holding it in memory.

    python Tools/make_large_onnx.py OUT.onnx [--gigabytes 1] [--width 4096] [--external]

For tests of memory and speed with big files. Input x [N, WIDTH], output y [N, WIDTH]; each layer
has WIDTH x WIDTH seeded float weights. With --external the weights go to OUT.onnx.data, each at a
multiple of 4096. Without it protobuf allows less than 2 GiB.
"""
import argparse
import pathlib

import numpy as np
from onnx import TensorProto, helper

PROTOBUF_LIMIT = 2**31 - 1
ALIGNMENT = 4096
ROWS_AT_ONCE = 256
GRAPH_FIELD, INITIALIZER_FIELD, RAW_DATA_FIELD = 7, 5, 9  # in Model-, Graph- and TensorProto


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def length_prefix(field, length):
    """Tag and length of a length-delimited protobuf field."""
    return varint(field << 3 | 2) + varint(length)


def write_weights(file, width, rng):
    for start in range(0, width, ROWS_AT_ONCE):
        rows = rng.standard_normal((min(ROWS_AT_ONCE, width - start), width), np.float32)
        file.write(rows * np.float32(np.sqrt(2 / width)))


def tensor_header(name, width, location=None):
    """A TensorProto without its raw data, or one whose data is at (file name, offset, length)."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[width, width])
    if location:
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in zip(("location", "offset", "length"), location):
            tensor.external_data.add(key=key, value=str(value))
    return tensor.SerializeToString()


def chain(layers, width):
    """The model without its weights."""
    nodes = []
    for i in range(layers):
        source, target = (f"a{i}" if i else "x"), ("y" if i == layers - 1 else f"a{i + 1}")
        nodes.append(helper.make_node("MatMul", [source, f"w{i}"], [f"m{i}"], name=f"matmul{i}"))
        nodes.append(helper.make_node("Relu", [f"m{i}"], [target], name=f"relu{i}"))
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", width]) for n in "xy")
    graph = helper.make_graph(nodes, "large", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_inline(path, model, layers, width, rng):
    graph = model.graph.SerializeToString()
    model.ClearField("graph")
    raw = length_prefix(RAW_DATA_FIELD, width * width * 4)
    prefixes = []
    for i in range(layers):
        header = tensor_header(f"w{i}", width) + raw
        prefixes.append(length_prefix(INITIALIZER_FIELD, len(header) + width * width * 4) + header)
    length = len(graph) + sum(map(len, prefixes)) + layers * width * width * 4
    if length > PROTOBUF_LIMIT:
        raise SystemExit("more than protobuf allows in one message: use --external")
    with open(path, "wb") as file:
        file.write(model.SerializeToString() + length_prefix(GRAPH_FIELD, length) + graph)
        for prefix in prefixes:
            file.write(prefix)
            write_weights(file, width, rng)


def write_external(path, model, layers, width, rng):
    data = path.with_name(path.name + ".data")
    with open(data, "wb") as file:
        for i in range(layers):
            file.seek(-(-file.tell() // ALIGNMENT) * ALIGNMENT)
            place = (data.name, file.tell(), width * width * 4)
            model.graph.initializer.add().ParseFromString(tensor_header(f"w{i}", width, place))
            write_weights(file, width, rng)
    path.write_bytes(model.SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--gigabytes", type=float, default=1)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--external", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    layers = max(1, round(options.gigabytes * 2**30 / (options.width**2 * 4)))
    write = write_external if options.external else write_inline
    write(options.output, chain(layers, options.width), layers, options.width,
          np.random.default_rng(options.seed))


if __name__ == "__main__":
    main()
