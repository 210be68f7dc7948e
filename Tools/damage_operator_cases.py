"""Damage ONNX's own operator cases, run each through `tessera run`, and count what happens.

    python Tools/damage_operator_cases.py [--count 3] [--seed 0] [--jobs 2] [--filter Conv,Gemm]
                                          [--tessera .build/release/tessera]

`--count` variants of each case: attributes set to extreme values, or bits of the file flipped; some
with an input of other numbers or another shape too. Good outcomes are exit code 0, and exit code 3
with one line on standard error and nothing written. Everything else is a finding, kept in
.build/damaged/ with what was said. Exit code 1 if there is a finding.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx.backend.test.loader import load_node_model_tests

from onnx_conformance import NPZ_TYPES, array, element_types, lower_opset, operators

TIME_LIMIT = 60  # seconds a variant
ADDRESS_LIMIT = 14 << 30  # bytes: what goes astray shall not take the machine along
INTEGERS = (0, 1, -1, 2, -2, 7, 64, 65, 100000, 1 << 31, -1 << 31, (1 << 63) - 1, -1 << 63)
FLOATS = (0, -1, 1e-30, 1e30, float("inf"), float("nan"))
FINDINGS = pathlib.Path(".build/damaged")


def change_attributes(model, generator):
    """Sets more than half of the attributes to something extreme."""
    for attribute in (a for node in model.graph.node for a in node.attribute):
        if generator.random() < 0.4:
            continue
        if attribute.type == onnx.AttributeProto.INT:
            attribute.i = generator.choice(INTEGERS)
        elif attribute.type == onnx.AttributeProto.FLOAT:
            attribute.f = generator.choice(FLOATS)
        elif attribute.type == onnx.AttributeProto.STRING:
            attribute.s = generator.choice((attribute.s, b"", b"x"))
        elif attribute.type == onnx.AttributeProto.INTS and attribute.ints:
            change = generator.randrange(3)
            if change == 0:
                del attribute.ints[-1]
            elif change == 1:
                attribute.ints.append(generator.choice(INTEGERS))
            else:
                place = generator.randrange(len(attribute.ints))
                attribute.ints[place] = generator.choice(INTEGERS)


def damaged_model(model, generator):
    """The bytes of a model after some harm."""
    if generator.random() < 0.5:
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        change_attributes(changed, generator)
        return changed.SerializeToString()
    data = bytearray(model.SerializeToString())
    for _ in range(generator.choice((1, 1, 2, 3))):
        data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    return bytes(data)


def damage_input(feeds, generator):
    """Changes a number or the shape of one input, for every third variant."""
    if not feeds or generator.random() > 1 / 3:
        return
    name = generator.choice(list(feeds))
    value = feeds[name]
    if value.dtype.kind in "iu" and value.size:
        limits = np.iinfo(value.dtype)
        changed = value.copy()
        changed.flat[generator.randrange(value.size)] = generator.choice(
            (0, 1, 2, 5, limits.max, limits.min, limits.max // 2))
    elif value.ndim and generator.random() < 0.5:
        changed = value[..., :max(value.shape[-1] - 1, 0)]
    else:
        changed = np.zeros([generator.choice((0, 1, 2, 3)) for _ in value.shape], value.dtype)
    feeds[name] = changed


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_LIMIT, ADDRESS_LIMIT))


def outcome(case, number, options):
    """(case name, exit code, whether that is good, what was said)."""
    generator = random.Random(f"{options.seed} {case.name} {number}")
    data = damaged_model(case.model, generator)
    feeds = {value.name: array(x)
             for value, x in zip(case.model.graph.input, case.data_sets[0][0])}
    damage_input(feeds, generator)
    reference = ["--reference"] if generator.random() < 0.5 else []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "model.onnx").write_bytes(data)
        np.savez(folder / "in.npz", **feeds)
        command = [options.tessera, "run", "model.onnx", "--inputs", "in.npz",
                   "--outputs", "out.npz", *reference]
        try:
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                                    errors="replace", timeout=TIME_LIMIT,
                                    preexec_fn=limit_memory)
            code, said = result.returncode, result.stderr
        except subprocess.TimeoutExpired:
            code, said = None, f"no answer after {TIME_LIMIT} s"
        written = (folder / "out.npz").exists()
        is_good = (code == 0 and not said) or (
            code == 3 and said.count("\n") == 1 and not written)
        if not is_good:
            place = FINDINGS / f"{case.name}-{options.seed}-{number}"
            place.mkdir(parents=True, exist_ok=True)
            (place / "model.onnx").write_bytes(data)
            np.savez(place / "in.npz", **feeds)
            (place / "said.txt").write_text(f"exit code {code} {reference}\n{said}")
    return case.name, code, is_good, said


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3, help="variants of each case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--filter", metavar="OP,…", help="only these operators")
    parser.add_argument("--tessera", default=".build/release/tessera", type=os.path.abspath)
    options = parser.parse_args()

    cases = load_node_model_tests()
    operator = operators(cases)
    wanted = options.filter.split(",") if options.filter else None
    # Expansions of functions hold the same few operators again and again.
    cases = [case for case in cases
             if element_types(case.model) <= NPZ_TYPES and "_expanded" not in case.name
             and (wanted is None or operator[case.name] in wanted)]
    for case in cases:
        lower_opset(case.model)
    counts, findings = collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        variants = [(case, number) for case in cases for number in range(options.count)]
        for name, code, is_good, said in pool.map(lambda v: outcome(*v, options), variants):
            counts[code] += 1
            if not is_good:
                findings += 1
                print(f"FINDING {operator[name]} {name}: exit code {code}\n    {said[:300]}",
                      flush=True)
    print(f"{sum(counts.values())} variants of {len(cases)} cases:",
          ", ".join(f"exit code {code}: {n}" for code, n in counts.most_common()),
          f"; findings: {findings}")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
