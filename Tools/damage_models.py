"""Damage real models in thousands of ways, give each to `tessera`, and count what happens.

    python Tools/damage_models.py MODEL.onnx … [--count 1000] [--seed 0] [--jobs 2]
                                  [--tessera .build/release/tessera]

Each variant is the model cut at a random length, or with one to eight bits flipped: half of these
anywhere, half in what describes the network rather than in its weights. It goes through one of
`inspect`, `run`, `evaluate` and `quantize`, each in its turn.

Good outcomes: exit code 3 with one line on standard error and nothing written, or exit code 0 where
the damage can't be noticed, as in a weight. Everything else is a finding, which is kept in
.build/damaged/ with what was said: a crash, another exit code, more lines, no answer in time, more
memory than MEMORY_LIMIT, an output where there must be none. Exit code 1 if there is a finding.
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

TIME_LIMIT = 60  # seconds a variant
MEMORY_LIMIT = 1 << 30  # bytes: the sound networks take a tenth of it
ADDRESS_LIMIT = 12 << 30  # bytes: what goes astray shall not take the machine along
COMMANDS = ("inspect", "run", "evaluate", "quantize")
FINDINGS = pathlib.Path(".build/damaged")


class Subject:
    """A sound model, with what the commands need beside it."""

    def __init__(self, path, folder):
        self.name = pathlib.Path(path).name
        self.bytes = pathlib.Path(path).read_bytes()
        model = onnx.load(path)
        constants = {tensor.name for tensor in model.graph.initializer}
        arrays = {}
        for value in model.graph.input:
            if value.name not in constants:
                lengths = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
                arrays[value.name] = np.random.default_rng(0).random(lengths, np.float32)
        self.inputs = folder / (self.name + ".npz")
        np.savez(self.inputs, **arrays)
        self.description = self.positions_outside_weights(model)

    def positions_outside_weights(self, model):
        """The ranges of bytes that are not the raw data of constants."""
        ranges, end = [], 0
        for tensor in model.graph.initializer:
            start = self.bytes.find(tensor.raw_data, end) if tensor.raw_data else -1
            if start >= 0:
                ranges.append(range(end, start))
                end = start + len(tensor.raw_data)
        return [r for r in [*ranges, range(end, len(self.bytes))] if r]

    def damaged(self, generator):
        """What was done, and the bytes after it."""
        if generator.random() < 1 / 3:
            length = generator.randrange(len(self.bytes))
            return f"cut to {length} bytes", self.bytes[:length]
        changed, places = bytearray(self.bytes), []
        in_description = generator.random() < 0.5
        for _ in range(generator.choice((1, 1, 1, 2, 4, 8))):
            if in_description:
                part, = generator.choices(self.description, map(len, self.description))
                position = generator.choice(part)
            else:
                position = generator.randrange(len(self.bytes))
            bit = generator.randrange(8)
            changed[position] ^= 1 << bit
            places.append(f"{position}.{bit}")
        where = "description" if in_description else "anywhere"
        return f"bits {' '.join(places)} flipped, {where}", bytes(changed)

    def command(self, name, folder):
        """The arguments, and the file that is written."""
        output = folder / ("out.npz" if name == "run" else "out")
        data = ["--data", self.inputs, "--metric", "sqnr", "--against", folder / "model.onnx"]
        return {
            "inspect": ["inspect", "model.onnx", "--json", output],
            "run": ["run", "model.onnx", "--inputs", self.inputs, "--outputs", output],
            "evaluate": ["evaluate", "model.onnx", *data, "--json", output, "--quiet"],
            "quantize": ["quantize", "model.onnx", "--recipe", "w8", "--quiet", "-o", output],
        }[name], output


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_LIMIT, ADDRESS_LIMIT))


def outcome(subject, number, options):
    """(command, outcome, what was done, what was said, peak memory in bytes)."""
    generator = random.Random(f"{options.seed} {subject.name} {number}")
    name = COMMANDS[number % len(COMMANDS)]
    damage, data = subject.damaged(generator)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "model.onnx").write_bytes(data)
        arguments, output = subject.command(name, folder)
        with open(folder / "errors", "w+") as errors:
            process = subprocess.Popen(
                ["timeout", str(TIME_LIMIT), options.tessera, *arguments], cwd=folder,
                stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=limit_memory)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            errors.seek(0)
            said = errors.read()
        lines = said.splitlines()
        peak = usage.ru_maxrss * 1024
        left = {file.name for file in folder.iterdir()} - {"model.onnx", "errors"}
        if code == 124:
            verdict = "no answer"
        elif peak > MEMORY_LIMIT:
            verdict = f"more than {MEMORY_LIMIT >> 20} MiB"
        elif code == 3 and len(lines) == 1 and said.startswith("tessera: ") and not left:
            verdict = "error"
        elif code == 0 and left == {output.name} and not lines:
            verdict = "not noticed"
        else:
            verdict = f"exit code {code}, {len(lines)} lines, left {sorted(left)}"
        if verdict not in ("error", "not noticed"):
            FINDINGS.mkdir(parents=True, exist_ok=True)
            file = FINDINGS / f"{name}-{number}-{subject.name}"
            file.write_bytes(data)
            file.with_suffix(".txt").write_text(f"{name}: {verdict}\n{damage}\n{said}")
    return name, verdict, damage, said, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL.onnx")
    parser.add_argument("--count", type=int, default=1000, help="variants of each model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tessera", default=".build/release/tessera", type=os.path.abspath)
    options = parser.parse_args()

    total, findings = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for path in options.models:
            subject = Subject(path, pathlib.Path(folder))
            with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
                results = list(pool.map(lambda n: outcome(subject, n, options),
                                        range(options.count)))
            for kind in ("cut", "anywhere", "description"):
                counts = collections.Counter(v for _, v, damage, *_ in results if kind in damage)
                total += counts
                print(f"{subject.name:28} {kind:12}",
                      ", ".join(f"{v} {n}" for v, n in counts.most_common()), flush=True)
            messages = {said.split(": ", 2)[-1] for *_, said, _ in results if said}
            print(f"{subject.name:28} peak memory {max(r[-1] for r in results) >> 20} MiB, "
                  f"{len(messages)} different messages", flush=True)
            for name, verdict, damage, said, _ in results:
                if verdict not in ("error", "not noticed"):
                    findings += 1
                    print(f"FINDING {name} {subject.name} {damage}: {verdict}\n    {said[:300]}")
    print("total", sum(total.values()), ", ".join(f"{v} {n}" for v, n in total.most_common()))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
