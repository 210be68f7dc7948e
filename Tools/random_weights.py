"""Give one of the onnx package's "light" graphs seeded He-normal weights and opset 13.

    python Tools/random_weights.py light_resnet50.onnx resnet50_random.onnx [--seed 0]

The light graphs make their weights with ConstantOfShape. For measurements of speed and of what
quantization costs: the architecture is real, the weights are dense. The last layer is scaled by a
power of two, so that its outputs have a standard deviation near 1 and a softmax behind it is not
saturated: residual blocks double the variance of what goes through them.
"""
import argparse

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, version_converter

BATCH_NORM_CENTRES = (1.0, 0.1, 0.0, 1.0)  # gain, bias, mean, variance


def with_random_weights(model, seed):
    """The model with an initializer in place of each ConstantOfShape of a constant shape."""
    graph, rng = model.graph, np.random.default_rng(seed)
    constants = {x.name: numpy_helper.to_array(x) for x in graph.initializer}
    shapes, consumed, nodes = {}, set(), []
    for node in graph.node:
        if node.op_type == "ConstantOfShape" and node.input[0] in constants:
            shapes[node.output[0]] = tuple(int(n) for n in constants[node.input[0]])
            consumed.add(node.input[0])
        else:
            nodes.append(node)

    values = {}
    for name, shape in shapes.items():
        deviation = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.02
        values[name] = deviation * rng.standard_normal(shape)
    for node in (n for n in nodes if n.op_type == "BatchNormalization"):
        for name, centre in zip(node.input[1:], BATCH_NORM_CENTRES):
            if name in values:
                value = centre + 0.1 * rng.standard_normal(shapes[name])
                values[name] = np.abs(value) if centre == 1 else value
    # A normalization written as one without gain, then Mul and Add of one number per channel.
    producers = {node.output[0]: node for node in nodes}
    for node in (n for n in nodes if n.op_type == "Mul"):
        for name in (producers[x].input[0] for x in node.input if x in producers):
            if name in values:
                values[name] = np.abs(1 + 0.1 * rng.standard_normal(shapes[name]))

    kept = [x for x in graph.initializer if x.name not in consumed]
    made = [numpy_helper.from_array(v.astype(np.float32), name) for name, v in values.items()]
    inputs = [x for x in graph.input if x.name not in constants]
    for field, content in ((graph.node, nodes), (graph.initializer, kept + made),
                           (graph.input, inputs)):
        del field[:]
        field.extend(content)
    model.ir_version = 8
    model = version_converter.convert_version(model, 13)
    scale_last_layer(model, seed)
    return model


def scale_last_layer(model, seed):
    """Scale the weights and bias before the output such that it varies by 1 on normal numbers."""
    producers = {name: node for node in model.graph.node for name in node.output}
    layer = producers[model.graph.output[0].name]
    while layer.op_type not in ("Conv", "Gemm"):
        layer = producers[layer.input[0]]
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    cut.graph.output[0].CopyFrom(onnx.ValueInfoProto(name=layer.output[0]))
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    runtime = onnxruntime.InferenceSession(cut.SerializeToString(), settings,
                                           providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(seed)
    feed = {x.name: rng.standard_normal(x.shape, np.float32) for x in runtime.get_inputs()}
    deviation = runtime.run(None, feed)[0].std(dtype=np.float64)
    # A power of two: the same weights on every machine, whatever its float sums round to.
    factor = np.float32(2.0 ** -np.round(np.log2(deviation)))
    for tensor in model.graph.initializer:
        if tensor.name in layer.input[1:]:
            tensor.CopyFrom(numpy_helper.from_array(
                numpy_helper.to_array(tensor) * factor, tensor.name))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    onnx.save(with_random_weights(onnx.load(options.source), options.seed), options.target)


if __name__ == "__main__":
    main()
