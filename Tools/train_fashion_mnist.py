"""Train the Fashion-MNIST example network and write it with its calibration and test images.

    python Tools/train_fashion_mnist.py [--data .models/fashion-mnist] [--out Examples/FashionMNIST]

Needs torch (CPU), numpy, onnx and onnxruntime. The seed fixes data order, augmentation and initial
weights; another version of torch or another CPU may still round differently.
`--export-only CHECKPOINT` writes the files again from a finished training.
"""
import argparse
import copy
import gzip
import math
import pathlib
import time

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

MEAN, STD = 0.286, 0.353
PEAK_RATE = 0.2
CALIBRATION_PER_CLASS, TEST_COUNT = 50, 2000


class ConvBlock(nn.Module):
    """Convolution, batch normalization and an optional activation."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, activation=None):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups,
                              bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = activation

    def forward(self, x):
        x = self.norm(self.conv(x))
        return {None: lambda y: y, "Relu": F.relu, "Clip": F.relu6}[self.activation](x)


class InvertedResidual(nn.Module):
    """Expand 1x1, depthwise 3x3, project 1x1 (MobileNetV2); adds its input when shapes allow it."""

    def __init__(self, inputs, outputs, expansion, stride=1):
        super().__init__()
        hidden = inputs * expansion
        self.steps = nn.Sequential(
            ConvBlock(inputs, hidden, 1, activation="Clip"),
            ConvBlock(hidden, hidden, 3, stride, groups=hidden, activation="Clip"),
            ConvBlock(hidden, outputs, 1))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.steps(x) if self.adds else self.steps(x)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            ConvBlock(1, 24, 3, activation="Relu"),            # 28 x 28
            ConvBlock(24, 48, 3, stride=2, activation="Relu"),  # 14 x 14
            InvertedResidual(48, 48, 2),
            InvertedResidual(48, 48, 2),
            InvertedResidual(48, 80, 3, stride=2),              # 7 x 7
            InvertedResidual(80, 80, 3),
            InvertedResidual(80, 80, 3),
            ConvBlock(80, 192, 1, activation="Relu"))
        self.classifier = nn.Linear(192, 10)

    def forward(self, x):
        return self.classifier(F.dropout(self.features(x).mean((2, 3)), 0.1, self.training))


def read_idx(path):
    """The array of a gzipped IDX file of unsigned bytes."""
    data = gzip.decompress(pathlib.Path(path).read_bytes())
    shape = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes(), 9, mtime=0))


def normalized(images):
    return (images[:, None].astype(np.float32) / 255 - MEAN) / STD


def augmented(images, generator):
    """Shift each image by up to 2 pixels, flip half of them, blank a patch of half of them."""
    n = len(images)
    rows = torch.randint(0, 5, (n, 1), generator=generator) + torch.arange(28)
    columns = torch.randint(0, 5, (n, 1), generator=generator) + torch.arange(28)
    flip = torch.rand(n, 1, generator=generator) < 0.5
    columns = torch.where(flip, columns.flip(1), columns)
    black = -MEAN / STD
    padded = F.pad(images[:, 0], (2, 2, 2, 2), value=black)
    moved = padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    corner = torch.randint(-8, 28, (n, 2, 1), generator=generator)
    inside = (torch.arange(28) >= corner) & (torch.arange(28) < corner + 8)
    erase = torch.rand(n, 1, 1, generator=generator) < 0.5
    return moved.masked_fill(inside[:, 0, :, None] & inside[:, 1, None, :] & erase, black)[:, None]


def trained(images, labels, test_images, test_labels, epochs, batch, seed, checkpoint):
    """Train with SGD, one learning-rate cycle and an exponential moving average of the weights."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = Network().to(memory_format=torch.channels_last)
    print(sum(p.numel() for p in network.parameters()), "parameters", flush=True)
    average = copy.deepcopy(network)
    optimizer = torch.optim.SGD(network.parameters(), PEAK_RATE, 0.9, weight_decay=5e-4,
                                nesterov=True)
    steps, step, start = epochs * (len(images) // batch), 0, time.time()
    for epoch in range(epochs):
        network.train()
        order = torch.randperm(len(images), generator=generator)
        for indices in order[:len(images) // batch * batch].split(batch):
            warm = steps // 10
            rate = (step + 1) / warm if step < warm else \
                0.5 + 0.5 * math.cos(math.pi * (step - warm) / (steps - warm))
            optimizer.param_groups[0]["lr"] = PEAK_RATE * rate
            x = augmented(images[indices], generator)
            with torch.autocast("cpu", torch.bfloat16):
                output = network(x.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(output.float(), labels[indices], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            decay = min(0.998, (1 + step) / (10 + step))
            with torch.no_grad():
                news = network.state_dict()
                for name, mean in average.state_dict().items():
                    if mean.is_floating_point():
                        mean.lerp_(news[name], 1 - decay)
        torch.save(average.state_dict(), checkpoint)
        right = accuracy(average, test_images, test_labels)
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}, test {right:.4f}, "
              f"{time.time() - start:.0f} s", flush=True)
    return average


@torch.no_grad()
def accuracy(network, images, labels):
    network.eval()
    hits = [(network(x).argmax(1) == y).sum() for x, y in zip(images.split(500), labels.split(500))]
    return (sum(hits) / len(labels)).item()


def write_onnx(network, path):
    """Write the network as ONNX opset 17, IR 8, with its BatchNormalization nodes kept."""
    nodes, constants = [], []

    def constant(name, value):
        value = value.detach().numpy() if isinstance(value, torch.Tensor) else value
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind, name, inputs, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name + "_output"], name=name, **attributes))
        return name + "_output"

    def block(module, name, x):
        conv, norm = module.conv, module.norm
        x = node("Conv", name + ".conv", [x, constant(name + ".conv.weight", conv.weight)],
                 kernel_shape=list(conv.kernel_size), strides=list(conv.stride),
                 pads=list(conv.padding) * 2, group=conv.groups)
        parameters = [constant(f"{name}.norm.{key}", getattr(norm, key))
                      for key in ("weight", "bias", "running_mean", "running_var")]
        x = node("BatchNormalization", name + ".norm", [x] + parameters, epsilon=norm.eps)
        limits = ["zero", "six"] if module.activation == "Clip" else []
        kind = module.activation
        return node(kind, name + ".activation", [x] + limits) if kind else x

    constant("zero", np.float32(0))
    constant("six", np.float32(6))
    x = "image"
    for index, module in enumerate(network.features):
        name, entry = f"features.{index}", x
        if isinstance(module, ConvBlock):
            x = block(module, name, x)
            continue
        for step, kind in zip(module.steps, ("expand", "depthwise", "project")):
            x = block(step, f"{name}.{kind}", x)
        if module.adds:
            x = node("Add", name + ".add", [entry, x])
    x = node("Flatten", "flatten", [node("GlobalAveragePool", "pool", [x])])
    parameters = [constant("classifier." + key, getattr(network.classifier, key))
                  for key in ("weight", "bias")]
    nodes.append(
        helper.make_node("Gemm", [x] + parameters, ["logits"], name="classifier", transB=1))
    graph = helper.make_graph(
        nodes, "fashion_mnist",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="tessera/Tools/train_fashion_mnist.py")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def onnx_accuracy(path, images, labels):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    chosen = [session.run(None, {"image": normalized(images[i:i + 500])})[0].argmax(1)
              for i in range(0, len(images), 500)]
    return (np.concatenate(chosen) == labels).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=".models/fashion-mnist")
    parser.add_argument("--out", type=pathlib.Path, default="Examples/FashionMNIST")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", default=".models/fashion-mnist.pt")
    parser.add_argument("--export-only", metavar="CHECKPOINT")
    options = parser.parse_args()

    images, labels, test_images, test_labels = (
        read_idx(options.data / f"{part}-{kind}-ubyte.gz")
        for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))
    if options.export_only:
        network = Network()
        network.load_state_dict(torch.load(options.export_only, weights_only=True))
    else:
        data = (normalized(images), labels.astype(np.int64),
                normalized(test_images), test_labels.astype(np.int64))
        network = trained(*map(torch.from_numpy, data),
                          options.epochs, options.batch, options.seed, options.checkpoint)

    options.out.mkdir(parents=True, exist_ok=True)
    write_onnx(network.eval(), options.out / "model.onnx")
    rng = np.random.default_rng(options.seed)
    chosen = np.concatenate([rng.choice(np.flatnonzero(labels == k), CALIBRATION_PER_CLASS, False)
                             for k in range(10)])
    rng.shuffle(chosen)
    for name, x, y in (("calibration", images[chosen], labels[chosen]),
                       ("test", test_images[:TEST_COUNT], test_labels[:TEST_COUNT])):
        write_idx(options.out / f"{name}-images.idx3-ubyte.gz", x)
        write_idx(options.out / f"{name}-labels.idx1-ubyte.gz", y)
    for count in (TEST_COUNT, len(test_images)):
        print(f"accuracy on the first {count} test images in ONNX Runtime:",
              onnx_accuracy(options.out / "model.onnx", test_images[:count], test_labels[:count]))


if __name__ == "__main__":
    main()
