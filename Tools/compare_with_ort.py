"""Compare the outputs of `tessera run` with ONNX Runtime's for the same model and inputs.

    tessera run model.onnx --inputs x.npz --outputs y.npz
    python Tools/compare_with_ort.py model.onnx --inputs x.npz --outputs y.npz [--json FILE]

Per output: the largest difference, also in steps of the output's scale where a DequantizeLinear
makes it, and the share of identical elements. Then what ONNX Runtime made of the graph: how many
nodes of each kind, and which convolutions and products it still computes in float.
Needs the packages of Tools/requirements.txt.
"""
import argparse
import collections
import json
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

FLOAT_OPERATORS = {"Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul",
                   "FusedMatMul"}


def session(path, **options):
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    # Without VNNI, x86 kernels for uint8 x int8 saturate at 16 bits; this asks for exact ones.
    settings.add_session_config_entry("session.x64quantprecision", "1")
    # Products with weights of 4 or 8 bits round activations to 8 bits; this asks for float ones.
    settings.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    for name, value in options.items():
        setattr(settings, name, value)
    try:
        return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime 1.31 with the first of these refuses int8 weights that two nodes share.
        if "replace the existing tensor" not in str(error):
            raise
    settings.add_session_config_entry("session.x64quantprecision", "0")
    print(f"{path} shares int8 weights: computed without session.x64quantprecision",
          file=sys.stderr)
    return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def optimized_nodes(path):
    """The nodes after fusion. EXTENDED, as ALL also rewrites float layouts for this machine."""
    level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "optimized.onnx")
        session(path, graph_optimization_level=level, optimized_model_filepath=target)
        return onnx.load(target, load_external_data=False).graph.node


def output_scale(graph, name, rank):
    """The scale of the DequantizeLinear that makes an output, shaped to broadcast, or None."""
    constants = {x.name: x for x in graph.initializer}
    for node in graph.node:
        if (name in node.output and node.op_type == "DequantizeLinear"
                and node.input[1] in constants):
            scale = numpy_helper.to_array(constants[node.input[1]])
            if scale.size == 1:
                return scale.reshape(())
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            return scale.reshape([-1 if i == axis % rank else 1 for i in range(rank)])
    return None


def compared(found, expected, scale):
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return {"error": f"{found.dtype} {list(found.shape)}, "
                         f"ONNX Runtime has {expected.dtype} {list(expected.shape)}"}
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    same = (found == expected) | (np.isnan(difference) & np.isnan(found) & np.isnan(expected))
    result = {"max_abs_difference": float(difference.max(initial=0)),
              "share_identical": float(same.mean())}
    if scale is not None:
        result["max_steps"] = float((difference / scale).max(initial=0))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--outputs", required=True, help="what `tessera run` wrote")
    parser.add_argument("--json", help="write the findings to this file as well")
    options = parser.parse_args()

    runtime = session(options.model)
    names = [output.name for output in runtime.get_outputs()]
    with np.load(options.inputs) as inputs:
        expected = dict(zip(names, runtime.run(None, dict(inputs))))
    with np.load(options.outputs) as outputs:
        found = dict(outputs)
    graph = onnx.load(options.model, load_external_data=False).graph
    report = {"schema": 1, "outputs": {}}
    for name in names:
        scale = output_scale(graph, name, expected[name].ndim)
        result = {"error": "missing"} if name not in found else \
            compared(found[name], expected[name], scale)
        report["outputs"][name] = result
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in result.items()))

    nodes = optimized_nodes(options.model)
    report["nodes"] = dict(collections.Counter(node.op_type for node in nodes).most_common())
    report["float_nodes"] = [f"{n.op_type} {n.name}" for n in nodes if n.op_type in FLOAT_OPERATORS]
    print("nodes after fusion:", ", ".join(f"{k} {n}" for k, n in report["nodes"].items()))
    print("still in float:", ", ".join(report["float_nodes"]) or "none")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=2)


if __name__ == "__main__":
    main()
