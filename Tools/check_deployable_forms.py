"""Check that every form of codes is either refused or computes alike in ONNX Runtime.

    python Tools/check_deployable_forms.py [--method static ...] [--all] [--json FILE]

Walks method x code type x granularity x mapping x type of scales on a small network of a
convolution and two matrix products: `tessera quantize` by a recipe of that form, `tessera run` of
the result, and the same file in ONNX Runtime. The table says of each form that is written

  SQNR    of the quantized network's output against the float network's, in dB
  same    the share of outputs that are the very same in ONNX Runtime
  steps   the largest difference to ONNX Runtime in steps of the output: its scale where it is
          dequantized, else a 255th of its range

and then how many forms were refused for which reason (with --all, each). A form that fails in
another way than by exit code 2 or 3 and one line, that ONNX Runtime does not load, or that differs
by more than --limit steps is a fault; exit code 1 where there is one.
Needs the packages of Tools/requirements.txt and a built `tessera`.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from compare_with_ort import output_scale, session
from onnx import TensorProto, helper, numpy_helper
from quantize_architectures import PROJECT, sqnr

METHODS = ["static", "dynamic", "weightOnly"]
WIDTHS = [1, 2, 3, 4, 5, 6, 7, 8, 16]
TYPES = ([f"int{n}" for n in WIDTHS] + [f"uint{n}" for n in WIDTHS]
         + [f"pow2_{n}" for n in range(2, 9)])
GRANULARITIES = ["perTensor", "perChannel", "perGroup(32)", "perBlock(16x16)"]
MAPPINGS = ["symmetric", "affine"]
SCALES = ["float32", "float16"]
REFUSALS = (2, 3)  # exit codes of `tessera` for wrong usage and for files that can't be used


def network():
    """Conv, Relu, mean, MatMul, Add, Relu, Gemm; 64 inputs each, for groups of 32."""
    rng = np.random.default_rng(0)

    def weight(name, *shape):
        fan = np.prod(shape[1:]) if len(shape) > 1 else 16
        return numpy_helper.from_array(
            (rng.standard_normal(shape) / np.sqrt(fan)).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], name="mean"),
        helper.make_node("Flatten", ["p"], ["f"], name="flatten"),
        helper.make_node("MatMul", ["f", "w1"], ["m"], name="matmul"),
        helper.make_node("Add", ["m", "b1"], ["a"], name="add"),
        helper.make_node("Relu", ["a"], ["s"], name="relu1"),
        helper.make_node("Gemm", ["s", "w2", "b2"], ["y"], name="gemm", transB=1),
    ]
    constants = [weight("w0", 64, 64, 3, 3), weight("b0", 64), weight("w1", 64, 96),
                 weight("b1", 96), weight("w2", 32, 96), weight("b2", 32)]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 64, 7, 7])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 32])
    graph = helper.make_graph(nodes, "forms", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def recipe(form):
    method, code, granularity, mapping, scale = form
    return (f"name: form\nmethod: {method}\nweights: {{type: {code}, granularity: {granularity}, "
            f"mapping: {mapping}, scaleType: {scale}}}\n")


def tessera(binary, *arguments):
    return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)


def examined(form, number, folder, options):
    """What became of one form: refused, or written and compared."""
    text, result = folder / f"{number}.yaml", folder / f"{number}.onnx"
    text.write_text(recipe(form))
    data = ["--data", folder / "data.npz"] if form[0] == "static" else []
    run = tessera(options.tessera, "quantize", folder / "net.onnx", "--recipe", text, *data,
                  "--skip-layers", "--quiet", "--threads", "1", "-o", result)
    found = {"form": form}
    if run.returncode:
        lines = run.stderr.strip().splitlines()
        if run.returncode not in REFUSALS or len(lines) != 1 or result.exists():
            return found | {"fault": f"exit code {run.returncode}: {run.stderr.strip()}"}
        return found | {"refused": lines[0].split(" › ")[-1].removeprefix("tessera: ")}
    outputs = folder / f"{number}.npz"
    run = tessera(options.tessera, "run", result, "--inputs", folder / "x.npz", "--outputs",
                  outputs)
    if run.returncode:
        return found | {"fault": f"can't be run: {run.stderr.strip()}"}
    try:
        expected = session(str(result)).run(None, dict(np.load(folder / "x.npz")))[0]
    except Exception as error:
        return found | {"fault": f"ONNX Runtime: {str(error).splitlines()[0]}"}
    ours = np.load(outputs)["y"]
    scale = output_scale(onnx.load(result).graph, "y", 2)
    step = np.ptp(expected) / 255 if scale is None else scale
    steps = float(np.max(np.abs(ours.astype(np.float64) - expected) / max(step, 1e-30)))
    found |= {"steps": steps, "share_identical": float(np.mean(ours == expected)),
              "sqnr_db": float(sqnr(np.load(folder / "y.npz")["y"], ours)),
              "bytes": result.stat().st_size}
    result.unlink()
    return found | ({} if steps <= options.limit else {"fault": f"differs by {steps:.2f} steps"})


def prepare(folder, options):
    rng = np.random.default_rng(1)
    onnx.save(network(), folder / "net.onnx")
    np.savez(folder / "data.npz", x=rng.standard_normal((16, 64, 7, 7)).astype(np.float32))
    np.savez(folder / "x.npz", x=rng.standard_normal((32, 64, 7, 7)).astype(np.float32))
    run = tessera(options.tessera, "run", folder / "net.onnx", "--inputs", folder / "x.npz",
                  "--outputs", folder / "y.npz")
    if run.returncode:
        raise SystemExit(run.stderr)


def line(found):
    name = "{:<11}{:<8}{:<16}{:<10}{:<9}".format(*found["form"])
    if "refused" in found:
        return name + "  refused: " + found["refused"]
    figures = "" if "steps" not in found else (
        f"{found['sqnr_db']:>7.2f}{found['share_identical']:>9.2%}{found['steps']:>8.3f}")
    return name + figures + (f"  FAULT: {found['fault']}" if "fault" in found else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--method", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--type", nargs="+", choices=TYPES, default=TYPES)
    parser.add_argument("--limit", type=float, default=1.0, help="steps that are no fault")
    parser.add_argument("--jobs", type=int, default=1, help="forms at the same time")
    parser.add_argument("--all", action="store_true", help="a line for each refused form as well")
    parser.add_argument("--tessera", default=PROJECT / ".build/release/tessera")
    parser.add_argument("--json", help="write the findings to this file as well")
    options = parser.parse_args()
    forms = list(itertools.product(options.method, options.type, GRANULARITIES, MAPPINGS, SCALES))

    print(f"{'method':<11}{'type':<8}{'granularity':<16}{'mapping':<10}{'scales':<9}"
          f"{'SQNR':>7}{'same':>9}{'steps':>8}", flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="tessera-") as folder:
        folder = pathlib.Path(folder)
        prepare(folder, options)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for found in pool.map(lambda item: examined(item[1], item[0], folder, options),
                                  enumerate(forms)):
                rows.append(found)
                if options.all or "refused" not in found:
                    print(line(found), flush=True)
    reasons = collections.Counter(
        (row["form"][0], row["refused"]) for row in rows if "refused" in row)
    print()
    for (method, reason), count in sorted(reasons.items()):
        print(f"refused, {method}, {count}: {reason}")
    faults = sum("fault" in row for row in rows)
    print(f"{len(rows)} forms: {sum('steps' in row for row in rows)} written, "
          f"{sum(reasons.values())} refused, {faults} faults")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"schema": 1, "forms": rows}, indent=2))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
