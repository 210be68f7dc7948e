"""Latency of a model in ONNX Runtime: as float, and quantized to int8 by its own tools or given.

    python Tools/benchmark_onnxruntime.py MODEL.onnx [--int8 QUANTIZED.onnx] [--threads 1 2]
                                          [--rounds 5] [--runs 10] [--inputs x.npz] [--json FILE]
                                          [--tessera .build/release/tessera]

Without --int8, ONNX Runtime's own static quantization (QDQ, uint8 x int8 per channel, calibrated on
8 batches) and its dynamic quantization. The models take turns, block by block, so that noise of the
machine meets all of them; `ratio` is the median over the rounds of float time / int8 time. With
--tessera, `tessera run --latency` takes its turns too, on the same float and int8 files.
Needs the packages of Tools/requirements.txt, and an otherwise idle machine.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[name]  # before NumPy reads it

import numpy as np
import onnxruntime
from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType,
                                      quantize_dynamic, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

CALIBRATION_BATCHES = 8
REST = 0.05  # seconds until the threads of the other model stop to spin


class Feeds(CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def session(path, threads):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
    settings.log_severity_level = 3
    return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def random_feed(path, seed):
    """Normal numbers, or 0 and 1 for integers; free dimensions become 1."""
    rng, feed = np.random.default_rng(seed), {}
    for x in session(path, 1).get_inputs():
        shape = [n if isinstance(n, int) and n > 0 else 1 for n in x.shape]
        feed[x.name] = rng.integers(0, 2, shape) if "int64" in x.type else \
            rng.standard_normal(shape, np.float32)
    return feed


def quantized(path, folder, feed):
    """Float (preprocessed as both quantizers want it), static and dynamic int8 in `folder`."""
    paths = {kind: os.path.join(folder, kind + ".onnx") for kind in ("float", "static", "dynamic")}
    quant_pre_process(path, paths["float"], skip_symbolic_shape=True)
    feeds = [feed or random_feed(path, seed) for seed in range(CALIBRATION_BATCHES)]
    quantize_static(paths["float"], paths["static"], Feeds(feeds), quant_format=QuantFormat.QDQ,
                    per_channel=True, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8)
    quantize_dynamic(paths["float"], paths["dynamic"], per_channel=True)
    return {**paths, "float": path}


def block(run, runs):
    """Milliseconds of each run, after a rest and a warm-up."""
    time.sleep(REST)
    for _ in range(3):
        run()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def tessera_block(program, path, feed, threads):
    """The median milliseconds of one process of `tessera run --latency`."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = (os.path.join(folder, name) for name in ("x.npz", "y.npz"))
        np.savez(inputs, **feed)
        text = subprocess.run(
            [program, "run", path, "--inputs", inputs, "--outputs", outputs, "--latency",
             "--threads", str(threads)], check=True, capture_output=True, text=True).stdout
    number, unit = re.search(r"median ([0-9.]+) (µs|ms|s)", text).groups()
    return [float(number) * {"µs": 1e-3, "ms": 1, "s": 1e3}[unit]]


def measured(paths, feed, threads, rounds, runs, program):
    sessions = {kind: session(path, threads) for kind, path in paths.items()}
    blocks = {kind: [] for kind in paths}
    for _ in range(rounds):
        for kind, runtime in sessions.items():
            blocks[kind].append(block(lambda: runtime.run(None, feed), runs))
        for kind in ("float", "int8") if program else ():
            times = tessera_block(program, paths[kind], feed, threads)
            blocks.setdefault("tessera " + kind, []).append(times)
    medians = {kind: [statistics.median(times) for times in b] for kind, b in blocks.items()}
    result = {"threads": threads}
    for kind, b in blocks.items():
        result[kind] = {"latency_ms": statistics.median(sum(b, [])), "min_ms": min(sum(b, []))}
        if kind != "float":
            ratios = [f / q for f, q in zip(medians["float"], medians[kind])]
            result[kind]["ratio"] = statistics.median(ratios)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--int8", help="this quantized model instead of ONNX Runtime's own")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--inputs", help="npz of one array per graph input; random if not given")
    parser.add_argument("--json")
    parser.add_argument("--tessera", help="the command to measure beside; needs --int8")
    options = parser.parse_args()

    if options.tessera and not options.int8:
        parser.error("--tessera needs --int8: a file that both run")
    feed = dict(np.load(options.inputs)) if options.inputs else None
    report = {"schema": 1, "model": options.model, "onnxruntime": onnxruntime.__version__,
              "results": []}
    with tempfile.TemporaryDirectory() as folder:
        paths = {"float": options.model, "int8": options.int8} if options.int8 else \
            quantized(options.model, folder, feed)
        for threads in options.threads:
            result = measured(paths, feed or random_feed(options.model, CALIBRATION_BATCHES),
                              threads, options.rounds, options.runs, options.tessera)
            report["results"].append(result)
            print(f"{threads} threads: " + ", ".join(
                f"{kind} {result[kind]['latency_ms']:.2f} ms" +
                (f" (ratio {result[kind]['ratio']:.2f})" if "ratio" in result[kind] else "")
                for kind in result if kind != "threads"), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=2)


if __name__ == "__main__":
    main()
