"""Clipping, one forward and backward pass of the two networks, and gradient accumulation -> training.json

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_training.py

Made with Python 3.11.7, torch 2.15.0. Inputs and weights follow formulas stated in the file.
"""

import math

import torch
from torch import nn

from formulas import MIXED, SMOOTH, mixed, numbers, smooth, tensor, write

CLIPPED = [("matrix", [4, 3], 0), ("vector", [5], 12), ("kernel", [2, 3, 2, 2], 17)]  # name, shape, first index


def clipping():
    def parameters():
        result = [nn.Parameter(torch.zeros(shape)) for _, shape, _ in CLIPPED]
        for parameter, (_, shape, first) in zip(result, CLIPPED):
            parameter.grad = tensor(shape, lambda i: smooth(first + i, 1))
        return result

    def gradients(clipped):
        return {name: numbers(parameter.grad) for parameter, (name, _, _) in zip(clipped, CLIPPED)}

    def by_norm(max_norm):
        clipped = parameters()
        norm = nn.utils.clip_grad_norm_(clipped, max_norm)
        return {"max_norm": max_norm, "norm_before": norm.item(), "gradients": gradients(clipped)}

    def by_value(limit):
        clipped = parameters()
        nn.utils.clip_grad_value_(clipped, limit)
        return {"limit": limit, "gradients": gradients(clipped)}

    return {
        "gradient": f"{SMOOTH} with t = 1, i = first + flat row-major index, rounded to float32",
        "tensors": [{"name": name, "shape": shape, "first": first} for name, shape, first in CLIPPED],
        "norms_before": {name: p.grad.norm().item() for p, (name, _, _) in zip(parameters(), CLIPPED)},
        "by_global_norm": by_norm(1.0),
        "by_global_norm_not_reached": by_norm(10.0),
        "by_value": by_value(0.5),
    }


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 10),
    )


def mlp():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def scale(parameter):
    """He's uniform bound for weights, 0.1 for biases."""
    return 0.1 if parameter.dim() == 1 else math.sqrt(6 / math.prod(parameter.shape[1:]))


def filled(network, dtype):
    """The network with every parameter given by the formula; k counts parameters from 1."""
    network = network.to(dtype)
    for k, parameter in enumerate(network.parameters(), start=1):
        parameter.data = tensor(parameter.shape, lambda i: scale(parameter) * mixed(i, k), dtype)
    return network


def passed(network, inputs, labels):
    """Loss, logits and gradient norms of one pass."""
    network.zero_grad()
    logits = network(inputs)
    loss = nn.functional.cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    norms = [parameter.grad.norm().item() for parameter in network.parameters()]
    return {
        "loss": loss.item(),
        "logits": [numbers(row) for row in logits],
        "gradient_norms": norms,
        "global_gradient_norm": math.hypot(*norms),
    }


def one_pass(build, names, shape, labels):
    def inputs(dtype):
        return tensor([len(labels), *shape], lambda i: (mixed(i, 0) + 1) / 2, dtype)

    parameters = zip(names, build().parameters(), strict=True)
    return {
        "input_shape": [len(labels), *shape],
        "labels": labels,
        "parameters": [
            {"name": name, "k": k, "shape": list(p.shape), "scale": scale(p)}
            for k, (name, p) in enumerate(parameters, start=1)
        ],
        "float64": passed(filled(build(), torch.float64), inputs(torch.float64), labels),
        "float32": passed(filled(build(), torch.float32), inputs(torch.float32), labels),
    }


def accumulation():
    """The mean of the gradients of equal parts of a batch is the gradient of the batch."""
    labels = [1, 4, 8, 1]
    network = filled(mlp(), torch.float64)
    inputs = tensor([4, 784], lambda i: (mixed(i, 0) + 1) / 2, torch.float64)

    def gradients(part):
        result = passed(network, inputs[part], labels[part])
        return result["loss"], [p.grad.clone() for p in network.parameters()]

    full, first, second = gradients(slice(0, 4)), gradients(slice(0, 2)), gradients(slice(2, 4))
    averaged = [(a + b) / 2 for a, b in zip(first[1], second[1])]
    for a, b in zip(full[1], averaged):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)

    def norms(gradients):
        return [gradient.norm().item() for gradient in gradients]

    return {
        "network": "that of mlp, with the same weights, in float64",
        "input_shape": [4, 784],
        "labels": labels,
        "full": {"loss": full[0], "gradient_norms": norms(full[1])},
        "halves": [{"loss": loss, "gradient_norms": norms(parts)} for loss, parts in (first, second)],
        "averaged": {"loss": (first[0] + second[0]) / 2, "gradient_norms": norms(averaged)},
    }


def names(*layers):
    return [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]


write(
    "training.json",
    {
        "made_by": "make_training.py",
        "torch": torch.__version__,
        "clipping": clipping(),
        "mixed": f"mixed(i, k) = {MIXED}, in whole numbers up to the last division",
        "weights": "element i (flat row-major) of parameter k = scale * mixed(i, k), in float64, then rounded",
        "inputs": "element i (flat row-major, batch first) = (mixed(i, 0) + 1) / 2",
        "layout": "dense weights are [outputs, inputs], convolution weights [outputs, inputs, height, width]",
        "loss": "cross-entropy of the logits, mean over the batch; gradient_norms in the order of parameters",
        "cnn": one_pass(cnn, names("conv1", "conv2", "conv3", "hidden", "output"), [3, 32, 32], [3, 7]),
        "mlp": one_pass(mlp, names("hidden", "output"), [784], [1, 4, 8]),
        "accumulation": accumulation(),
    },
)
