"""Quantize every architecture graph end to end, and compare the result with ONNX Runtime.

    python Tools/quantize_architectures.py [--only resnet50 ...] [--recipe w8a8] [--jobs 1]

For each .models/architectures/*_random.onnx (made by scripts/fetch-models): `tessera quantize` on
seeded random pictures, `tessera run` of the result, and the same in ONNX Runtime. The table says

  size        of the quantized file, as a share of the float one
  float diff  the largest difference of our float outputs to ONNX Runtime's
  SQNR        of the quantized network's outputs against the float network's, in dB: ours, and that
              of the same file in ONNX Runtime
  same        of the last value that is quantized: the share of codes that are the very same as
  steps       ONNX Runtime's, and the largest difference in steps
  ORT float   convolutions and products that ONNX Runtime still computes in float
  our float   steps of our plan that compute in float, by kind

and ends with exit code 1 where a network fails or ONNX Runtime computes a layer in float.
Needs the packages of Tools/requirements.txt and a built `tessera`.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from compare_with_ort import FLOAT_OPERATORS, compared, optimized_nodes, output_scale, session

PROJECT = pathlib.Path(__file__).resolve().parent.parent
INTEGER_KINDS = ("int8", "table", "concat", "change layout", "flip sign", "constant", "codes", "pixels")


def pictures(shape, count, seed):
    """Coarse and fine noise, brighter and darker: pictures that differ as photographs do."""
    rng = np.random.default_rng(seed)
    _, channels, height, width = shape
    coarse = rng.standard_normal((count, channels, -(-height // 32), -(-width // 32)))
    coarse = coarse.repeat(32, axis=2).repeat(32, axis=3)[:, :, :height, :width]
    fine = rng.standard_normal((count, channels, height, width))
    brightness = rng.standard_normal((count, 1, 1, 1))
    return (0.7 * coarse + 0.4 * fine + 0.6 * brightness).astype(np.float32)


def tessera(binary, *arguments):
    result = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr.strip().splitlines()[-1])


def sqnr(signal, found):
    noise = np.sum((signal.astype(np.float64) - found) ** 2)
    return np.inf if noise == 0 else 10 * np.log10(np.sum(signal.astype(np.float64) ** 2) / noise)


def with_last_codes(source, target):
    """Write the model with the last dequantized value before the output as its last output."""
    model = onnx.load(source)
    producers = {name: node for node in model.graph.node for name in node.output}
    name = model.graph.output[0].name
    while producers[name].op_type != "DequantizeLinear":
        name = producers[name].input[0]
    if name != model.graph.output[0].name:
        model.graph.output.append(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    onnx.save(model, target)
    return name


def float_steps(path):
    """The kinds of steps that compute in float, and how many of each."""
    steps = json.loads(pathlib.Path(path).read_text())["steps"]
    kinds = (step["kind"] for step in steps)
    return collections.Counter(kind for kind in kinds if not kind.startswith(INTEGER_KINDS))


def examined(path, options):
    """One row of the table."""
    with tempfile.TemporaryDirectory(prefix="tessera-") as folder:
        folder = pathlib.Path(folder)
        runtime = session(str(path))
        given, result = runtime.get_inputs()[0], runtime.get_outputs()[0].name
        np.savez(folder / "data.npz", **{given.name: pictures(given.shape, options.samples, 1)})
        image = {given.name: pictures(given.shape, 1, 2)}
        np.savez(folder / "image.npz", **image)
        small, probed = folder / "int8.onnx", folder / "probed.onnx"
        tessera(options.tessera, "quantize", path, "--recipe", options.recipe, "--data",
                folder / "data.npz", "--skip-layers", "--quiet", "-o", small)
        last = with_last_codes(small, probed)
        for name, model in (("float", path), ("int8", probed)):
            tessera(options.tessera, "run", model, "--inputs", folder / "image.npz", "--outputs",
                    folder / f"{name}.npz", "--profile", folder / f"{name}.json")
        ours = {name: dict(np.load(folder / f"{name}.npz")) for name in ("float", "int8")}
        reference = runtime.run(None, image)[0]
        probe = session(str(probed))
        theirs = dict(zip((x.name for x in probe.get_outputs()), probe.run(None, image)))
        graph = onnx.load(small, load_external_data=False).graph
        layers = [node for node in optimized_nodes(str(small)) if node.op_type in FLOAT_OPERATORS]
        return {
            "network": path.stem.removesuffix("_random"),
            "size_share": small.stat().st_size / path.stat().st_size,
            "float_max_abs_difference": float(np.abs(reference - ours["float"][result]).max()),
            "sqnr_db": sqnr(ours["float"][result], ours["int8"][result]),
            "onnxruntime_sqnr_db": sqnr(reference, theirs[result]),
            **compared(ours["int8"][last], theirs[last],
                       output_scale(graph, last, theirs[last].ndim)),
            "onnxruntime_float_layers": [f"{node.op_type} {node.name}" for node in layers],
            "float_steps": dict(float_steps(folder / "int8.json")),
        }


def line(row):
    if "error" in row:
        return f"{row['network']:<14} {row['error']}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(row["float_steps"].items()))
    return (f"{row['network']:<14}{row['size_share']:>5.0%}{row['float_max_abs_difference']:>11.1e}"
            f"{row['sqnr_db']:>8.2f}{row['onnxruntime_sqnr_db']:>8.2f}"
            f"{row['share_identical']:>9.2%}{row['max_steps']:>7.1f}"
            f"{len(row['onnxruntime_float_layers']):>11}  {kinds}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="as resnet50; all if not given")
    parser.add_argument("--recipe", default="w8a8", help="a recipe's name or file")
    parser.add_argument("--jobs", type=int, default=1, help="networks at the same time")
    parser.add_argument("--samples", type=int, default=8, help="pictures to calibrate on")
    parser.add_argument("--models", type=pathlib.Path, default=PROJECT / ".models/architectures")
    parser.add_argument("--tessera", default=PROJECT / ".build/release/tessera")
    parser.add_argument("--json", help="write the findings to this file as well")
    options = parser.parse_args()
    paths = sorted(options.models.glob("*_random.onnx"))
    if options.only:
        paths = [path for path in paths if path.stem.removesuffix("_random") in options.only]
    if not paths:
        parser.error(f"no such *_random.onnx in {options.models}; scripts/fetch-models makes them")

    def row(path):
        try:
            return examined(path, options)
        except Exception as error:
            return {"network": path.stem.removesuffix("_random"), "error": str(error)}

    print(f"{'':<14}{'size':>5}{'float diff':>11}{'SQNR':>8}{'ORT':>8}{'same':>9}{'steps':>7}"
          f"{'ORT float':>11}  our float", flush=True)
    rows = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for found in pool.map(row, paths):
            rows.append(found)
            print(line(found), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"schema": 1, "networks": rows}, indent=2))
    if any("error" in found or found["onnxruntime_float_layers"] for found in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
