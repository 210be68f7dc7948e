"""Run ONNX's own operator cases through `tessera run` and count what passes.

    python Tools/onnx_conformance.py [--tessera .build/release/tessera] [--jobs 2]
                                     [--filter Conv,Gemm] [--types float32,int,bool] [--quiet]

One line per operator, the failures with their reasons, totals; exit code 1 if a case failed.
Needs the packages of Tools/requirements.txt. The cases are those of onnx.backend.test.case.node;
one that is the expansion of a function ("…_expanded") counts under the function's name.
Cases written in an opset beyond those that Tessera reads are declared as its newest one where
ONNX's checker holds that to be valid too, that is, where they use nothing newer; how many is said.
"""
import argparse
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_node_model_tests

TIME_LIMIT = 60  # seconds a case
NEWEST_OPSET = 26  # that Tessera reads
INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
NPZ_TYPES = {"bool", "float16", "float32", "float64", *INTEGERS}
RANDOM_CASES = re.compile("test_bernoulli|test_training_dropout(?!.*zero_ratio)")  # one draw
FLOAT_MOD = re.compile("test_mod_float.*fmod_0")
# What is refused by name: operators, and models of other operator sets alone.
UNSUPPORTED = "unsupported operator|is not supported|does not say which version of ONNX's own"
VERDICTS = ("passed", "failed", "unsupported", "other opset", "skipped type", "skipped random")


def element_types(model):
    """The element types of the graph's inputs and outputs, as NumPy spells them."""
    names = set()
    for value in [*model.graph.input, *model.graph.output]:
        kind = value.type.WhichOneof("value")
        if kind == "tensor_type":
            name = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
            kind = {"float": "float32", "double": "float64"}.get(name, name)
        names.add(kind)
    return names


def lower_opset(model):
    """Declares the newest opset that is read, where the model is valid in it; whether it did."""
    own = [entry for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if all(entry.version <= NEWEST_OPSET for entry in own):
        return False
    # Opset 28 alone lets Mod of floats do without fmod, which the checker does not know.
    if FLOAT_MOD.match(model.graph.name):
        return False
    lowered = onnx.ModelProto()
    lowered.CopyFrom(model)
    for entry in lowered.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = NEWEST_OPSET
    try:
        onnx.checker.check_model(lowered, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        return False
    model.CopyFrom(lowered)
    return True


def array(value):
    proto = isinstance(value, onnx.TensorProto)
    return numpy_helper.to_array(value) if proto else np.asarray(value)


def run_tessera(tessera, model, feeds, folder):
    """Outputs by name, or (None, exit code, what went to stderr)."""
    folder = pathlib.Path(folder)
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "in.npz", **feeds)
    command = [tessera, "run", folder / "model.onnx",
               "--inputs", folder / "in.npz", "--outputs", folder / "out.npz"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return None, None, f"no answer after {TIME_LIMIT} s"
    if result.returncode:
        return None, result.returncode, result.stderr.strip()
    with np.load(folder / "out.npz") as file:
        return dict(file), 0, ""


def difference(name, found, expected, rtol, atol):
    """Why `found` is not what was expected, or None. Integers must be equal."""
    if found is None:
        return f"no output {name}"
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return (f"{name} is {found.dtype} {list(found.shape)}, "
                f"expected {expected.dtype} {list(expected.shape)}")
    if expected.dtype.kind == "f":
        found, expected = found.astype(np.float64), expected.astype(np.float64)
        wrong = ~np.isclose(found, expected, rtol, atol, equal_nan=True)
    else:
        wrong = found != expected
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (f"{name}{list(index)} is {found[index]}, expected {expected[index]}"
            f" ({wrong.sum()} of {wrong.size} differ)")


def verdict(case, tessera):
    """One of VERDICTS and the reason."""
    model = case.model
    if other := element_types(model) - NPZ_TYPES:
        return "skipped type", min(other)
    if RANDOM_CASES.match(case.name):
        return "skipped random", ""
    for inputs, outputs in case.data_sets:
        feeds = {value.name: array(x) for value, x in zip(model.graph.input, inputs)}
        with tempfile.TemporaryDirectory() as folder:
            found, code, message = run_tessera(tessera, model, feeds, folder)
        if found is None:
            if code == 3 and re.search(UNSUPPORTED, message):
                return "unsupported", message
            if code == 3 and "is written in opset" in message:
                return "other opset", message
            return "failed", f"exit code {code}: {message}"
        for value, expected in zip(model.graph.output, outputs):
            reason = difference(value.name, found.get(value.name), array(expected),
                                case.rtol, case.atol)
            if reason:
                return "failed", reason
    return "passed", ""


def operators(cases):
    """Case name -> operator: its only node's, or that of the case which it expands."""
    found = {case.name: case.model.graph.node[0].op_type for case in cases}
    return {name: found.get(re.sub("_expanded.*", "", name), operator)
            for name, operator in found.items()}


def print_report(results, quiet):
    """`results`: (operator, case name, verdict, reason)."""
    table, reasons = collections.defaultdict(collections.Counter), collections.Counter()
    for operator, name, outcome, reason in sorted(results):
        table[operator][outcome] += 1
        if outcome == "failed" and not quiet:
            print(f"failed {operator} {name}: {reason}")
        if outcome == "skipped type":
            reasons[reason] += 1
    row = "{:32}" + "{:>16}" * len(VERDICTS)
    print(row.format("operator", *VERDICTS))
    for operator, counts in table.items():
        print(row.format(operator, *(counts[v] or "" for v in VERDICTS)))
    total = sum(table.values(), collections.Counter())
    print(row.format("total", *(total[v] for v in VERDICTS)))
    if reasons:
        print("skipped types:", ", ".join(f"{k} {n}" for k, n in reasons.most_common()))
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tessera", default=".build/release/tessera")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--filter", metavar="OP,…", help="only these operators")
    parser.add_argument("--types", metavar="TYPE,…",
                        help="only cases whose inputs and outputs are all of these; "
                             "int stands for all integers")
    parser.add_argument("--quiet", action="store_true", help="do not list the failures")
    options = parser.parse_args()
    if not pathlib.Path(options.tessera).is_file():
        parser.error(f"no {options.tessera}: swift build -c release makes it")

    cases = load_node_model_tests()
    operator = operators(cases)
    if options.filter:
        cases = [case for case in cases if operator[case.name] in options.filter.split(",")]
    if options.types:
        wanted = set(options.types.split(","))
        wanted.update(INTEGERS if "int" in wanted else [])
        cases = [case for case in cases if element_types(case.model) <= wanted]
    lowered = sum(lower_opset(case.model) for case in cases)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda case: verdict(case, options.tessera), cases))
    results = [(operator[c.name], c.name, *v) for c, v in zip(cases, verdicts)]
    total = print_report(results, options.quiet)
    print(f"declared as opset {NEWEST_OPSET}: {lowered} of {len(cases)} cases")
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
