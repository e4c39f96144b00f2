"""A narrow MobileNetV2 in training and evaluation, both paddings -> mobilenet.json, and a .pth file -> layer.pth

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_mobilenet.py

Made with Python 3.11.7, torch 2.15.0. Weights and pixels follow formulas stated in the file. The network is written
after the paper and has the names of torchvision's, so that its state_dict is one of torchvision's.
"""

import math
import pathlib

import torch
from torch import nn

from formulas import MIXED, mixed, numbers, tensor, write

WIDTH, CLASSES, SHAPE, LABELS = 0.05, 3, [3, 40, 40], [2, 0, 1]
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def divisible(channels):
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class Convolution(nn.Conv2d):
    """Without bias, padded as PyTorch ("symmetric") or TensorFlow ("same") does."""

    def __init__(self, inputs, outputs, kernel, stride, groups, padding):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.same = padding == "same"

    def forward(self, maps):
        if not self.same:
            return super().forward(maps)

        def around(size):
            kernel, stride = self.kernel_size[0], self.stride[0]
            zeros = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            return zeros // 2, zeros - zeros // 2

        height, width = maps.shape[2:]
        padded = nn.functional.pad(maps, (*around(width), *around(height)))
        return nn.functional.conv2d(padded, self.weight, None, self.stride, 0, 1, self.groups)


def layer(inputs, outputs, kernel, stride, groups, padding):
    return nn.Sequential(
        Convolution(inputs, outputs, kernel, stride, groups, padding), nn.BatchNorm2d(outputs), nn.ReLU6()
    )


class Block(nn.Module):
    def __init__(self, inputs, expansion, outputs, stride, padding):
        super().__init__()
        wide = inputs * expansion
        expand = [layer(inputs, wide, 1, 1, 1, padding)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expand,
            layer(wide, wide, 3, stride, wide, padding),
            Convolution(wide, outputs, 1, 1, 1, padding),
            nn.BatchNorm2d(outputs),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, maps):
        return maps + self.conv(maps) if self.residual else self.conv(maps)


class MobileNetV2(nn.Module):
    def __init__(self, padding, width=WIDTH, classes=CLASSES):
        super().__init__()
        channels = divisible(32 * width)
        parts = [layer(3, channels, 3, 2, 1, padding)]
        for expansion, wanted, repeats, stride in STAGES:
            outputs = divisible(wanted * width)
            for repeat in range(repeats):
                parts.append(Block(channels, expansion, outputs, stride if repeat == 0 else 1, padding))
                channels = outputs
        last = divisible(1280 * max(1.0, width))
        parts.append(layer(channels, last, 1, 1, 1, padding))
        self.features = nn.Sequential(*parts)
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(last, classes))

    def forward(self, pixels):
        return self.classifier(self.features(pixels).mean([2, 3]))


def filled(network):
    """The network in float64, every weight by the formula; k counts the tensors from 1."""
    network = network.double()
    tensors = [(n, t) for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked")]
    stated = []
    for k, (name, values) in enumerate(tensors, start=1):
        kind = name.rsplit(".", 1)[1]
        if values.dim() > 1:
            offset, scale = 0.0, math.sqrt(6 / math.prod(values.shape[1:]))
        else:
            offset = 1.0 if kind in ("weight", "running_var") else 0.0
            scale = 0.3
        values.copy_(tensor(values.shape, lambda i: offset + scale * mixed(i, k), torch.float64))
        stated.append({"name": name, "k": k, "shape": list(values.shape), "offset": offset, "scale": scale})
    return network, stated


def passes(padding):
    network, _ = filled(MobileNetV2(padding))
    pixels = tensor([len(LABELS), *SHAPE], lambda i: mixed(i, 0), torch.float64)
    network.eval()
    with torch.no_grad():
        evaluated = network(pixels)
    network.train()
    logits = network(pixels)
    loss = nn.functional.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    with torch.no_grad():
        state = network.state_dict()
        statistics = {name: values.norm().item() for name, values in state.items() if ".running_" in name}
        network.eval()
        after = network(pixels)
    return {
        "evaluation": [numbers(row) for row in evaluated],
        "training": [numbers(row) for row in logits],
        "loss": loss.item(),
        "gradient_norms": {name: p.grad.norm().item() for name, p in network.named_parameters()},
        "statistics_after": statistics,
        "evaluation_after": [numbers(row) for row in after],
    }


def layer_file():
    """A state_dict as torch.save writes it, of one layer and a classifier."""
    network = nn.Sequential()
    network.add_module("features", nn.Sequential(layer(1, 2, 3, 1, 1, "symmetric")))
    network.add_module("classifier", nn.Sequential(nn.Dropout(), nn.Linear(2, 3)))
    network, _ = filled(network)
    torch.save(network.float().state_dict(), pathlib.Path(__file__).with_name("layer.pth"))


if __name__ == "__main__":
    torch.set_num_threads(1)
    layer_file()
    write(
        "mobilenet.json",
        {
            "made_by": "make_mobilenet.py",
            "torch": torch.__version__,
            "width": WIDTH,
            "mixed": f"mixed(i, k) = {MIXED}, in whole numbers up to the last division",
            "weights": "element i (flat row-major) of tensor k = offset + scale * mixed(i, k), in float64",
            "inputs": "element i (flat row-major, batch first) = mixed(i, 0)",
            "layout": "dense weights are [outputs, inputs], convolution weights [outputs, inputs, height, width]",
            "statistics": "L2 norms of the running means and variances after the one training pass",
            "input_shape": [len(LABELS), *SHAPE],
            "labels": LABELS,
            "tensors": filled(MobileNetV2("same"))[1],
            "symmetric": passes("symmetric"),
            "same": passes("same"),
        },
    )
