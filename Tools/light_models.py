"""Copy the onnx package's "light" architectures, with inputs and expected outputs, into a folder.

    python Tools/light_models.py .models/architectures

Per architecture: light_NAME.onnx, light_NAME_inputs.npz and light_NAME_outputs.npz (arrays named as
the graph's inputs and outputs; compare with rtol 1e-3, atol 1e-7 as onnx's own runner does), and
NAME_random.onnx, the same graph with dense seeded weights (see random_weights.py).
"""
import argparse
import pathlib
import shutil

import numpy as np
import onnx
from onnx import numpy_helper
from random_weights import with_random_weights

LIGHT = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"


def made_input(description):
    """A ramp from 0 to 1, as onnx.backend.test.runner generates for these models."""
    shape = [dim.dim_value or 1 for dim in description.type.tensor_type.shape.dim]
    count = int(np.prod(shape))
    return (np.arange(count).reshape(shape) / count).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(LIGHT.glob("light_*.onnx")):
        model = onnx.load(path)
        constants = {x.name for x in model.graph.initializer}
        inputs = {x.name: made_input(x) for x in model.graph.input if x.name not in constants}
        expected = onnx.load_tensor(path.with_name(path.stem + "_output_0.pb"))
        shutil.copyfile(path, folder / path.name)
        np.savez(folder / f"{path.stem}_inputs.npz", **inputs)
        np.savez(folder / f"{path.stem}_outputs.npz",
                 **{model.graph.output[0].name: numpy_helper.to_array(expected)})
        onnx.save(with_random_weights(model, seed=0),
                  folder / f"{path.stem.removeprefix('light_')}_random.onnx")


if __name__ == "__main__":
    main()
