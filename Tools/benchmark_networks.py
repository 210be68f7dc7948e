"""Latency of networks in Tessera, ONNX Runtime and OpenVINO, as float and as int8, in turns.

    python Tools/benchmark_networks.py [--only resnet50 ...] [--threads 1 2] [--rounds 5] [--runs 10]
                                       [--tessera .build/release/tessera] [--markdown FILE] [--json FILE]

For EfficientNet-Lite0 and every .models/architectures/*_random.onnx (made by scripts/fetch-models):
`tessera quantize` once, then all runtimes run the same float and the same quantized file, block by
block in turns, so that noise of the machine meets all of them. The table gives medians in
milliseconds; a ratio is the median over the rounds of our time / that of the faster peer in the same
round, so that less than 1 is faster. OpenVINO computes floats as float32 here, not as bfloat16.
Needs the packages of Tools/requirements.txt, `openvino`, and an otherwise idle machine.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[name]  # before NumPy reads it

import numpy as np
import onnxruntime
import openvino
from benchmark_onnxruntime import block, random_feed, session, tessera_block
from quantize_architectures import pictures

PROJECT = pathlib.Path(__file__).resolve().parent.parent
MODELS = PROJECT / ".models"
PEERS = ("ONNX Runtime", "OpenVINO")


def networks():
    """Path of the float network, and what `tessera quantize` needs to calibrate it."""
    found = {"efficientnet-lite0": (MODELS / "efficientnet-lite0.onnx",
                                    ["--data", MODELS / "photos", "--preprocessing", "efficientnet-lite"])}
    for path in sorted((MODELS / "architectures").glob("*_random.onnx")):
        found[path.name.removesuffix("_random.onnx")] = (path, None)
    return found


def quantized(binary, path, calibration, folder):
    target = pathlib.Path(folder) / "int8.onnx"
    if calibration is None:
        name, array = next(iter(random_feed(str(path), 0).items()))
        data = pathlib.Path(folder) / "calibration.npz"
        np.savez(data, **{name: pictures(array.shape, 8, 1)})
        calibration = ["--data", data]
    subprocess.run([binary, "quantize", path, *calibration, "-o", target, "--quiet", "--skip-layers"],
                   check=True, capture_output=True)
    return target


def openvino_crashes(path):
    """Whether OpenVINO takes its process down when it compiles a network, as 2026.4 does some."""
    code = "import openvino, sys; openvino.compile_model(sys.argv[1], 'CPU')"
    return subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True).returncode != 0


def onnxruntime_runner(path, threads):
    runtime = session(str(path), threads)
    return lambda feed: runtime.run(None, feed)


def openvino_runner(path, threads):
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().read_model(path)
    shapes = {x.get_any_name(): [d.get_length() if d.is_static else 1 for d in x.partial_shape]
              for x in model.inputs}
    model.reshape(shapes)
    request = openvino.compile_model(model, "CPU", settings).create_infer_request()
    return request.infer


def measured(binary, paths, feed, threads, rounds, runs):
    """Milliseconds by runtime and precision, one for each round."""
    makers = {"ONNX Runtime": onnxruntime_runner, "OpenVINO": openvino_runner}
    runners = {(peer, kind): makers[peer](path, threads) for peer in PEERS
               for kind, path in paths.items()
               if peer != "OpenVINO" or not openvino_crashes(path)}
    times = {key: [] for key in [("Tessera", kind) for kind in paths] + list(runners)}
    for _ in range(rounds):
        for kind, path in paths.items():
            times["Tessera", kind] += tessera_block(binary, str(path), feed, threads)
        for key, run in runners.items():
            times[key].append(statistics.median(block(lambda: run(feed), runs)))
    return times


def ratio(times, ours, theirs):
    """Our time / that of the faster of some peers, round by round."""
    best = min((key for key in theirs if key in times), key=lambda key: statistics.median(times[key]))
    return statistics.median(a / b for a, b in zip(times[ours], times[best]))


def row(name, threads, times):
    cells = [name, str(threads)]
    for kind in ("float", "int8"):
        cells += [f"{statistics.median(times[who, kind]):.2f}" if (who, kind) in times else "crashes"
                  for who in ("Tessera", *PEERS)]
    floats, int8s = ([(peer, kind) for peer in PEERS] for kind in ("float", "int8"))
    cells += [f"{ratio(times, ('Tessera', 'float'), floats):.2f}",
              f"{ratio(times, ('Tessera', 'int8'), int8s):.2f}",
              f"{ratio(times, ('Tessera', 'int8'), floats):.2f}"]
    return "| " + " | ".join(cells) + " |"


def processor():
    for line in open("/proc/cpuinfo") if os.path.exists("/proc/cpuinfo") else ():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


HEADER = """| network | threads | float: Tessera | ONNX Runtime | OpenVINO | int8: Tessera | ONNX Runtime \
| OpenVINO | float ratio | int8 ratio | int8 to their float |
|---|---|---|---|---|---|---|---|---|---|---|"""


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tessera", default=str(PROJECT / ".build/release/tessera"))
    parser.add_argument("--markdown", help="write the table to this file")
    parser.add_argument("--json", help="write every time to this file")
    options = parser.parse_args()

    lines, report = [HEADER], []
    print(HEADER, flush=True)
    for name, (path, calibration) in networks().items():
        if options.only and name not in options.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            paths = {"float": path,
                     "int8": quantized(options.tessera, path, calibration, folder)}
            feed = random_feed(str(path), 7)
            for threads in options.threads:
                times = measured(options.tessera, paths, feed, threads, options.rounds, options.runs)
                lines.append(row(name, threads, times))
                print(lines[-1], flush=True)
                report.append({"network": name, "threads": threads,
                               "ms": {" ".join(key): value for key, value in times.items()}})
    if options.markdown:
        machine = (f"{processor()}, {os.cpu_count()} processors, {platform.system()}; ONNX Runtime "
                   f"{onnxruntime.__version__}, OpenVINO {openvino.__version__.split('-')[0]}; medians "
                   f"of {options.rounds} rounds in turns, milliseconds.")
        text = ("# Networks beside ONNX Runtime and OpenVINO\n\nMade by `python Tools/benchmark_networks.py "
                f"--markdown Benchmarks/Networks.md`.\n\n{machine}\nRatios are our time / that of the "
                "faster peer in the same round: less than 1 is faster.\n\n")
        pathlib.Path(options.markdown).write_text(text + "\n".join(lines) + "\n")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    sys.exit(main())
