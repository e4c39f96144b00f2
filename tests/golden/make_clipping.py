"""Gradients clipped per tensor and per unit -> clipping.json

    pip install -r benches/peers/requirements.txt
    pip install pytorch_optimizer==4.1.0
    python tests/golden/make_clipping.py

Made with Python 3.11.7, torch 2.15.0. Linear layers are [inputs, outputs] here and [outputs, inputs] in PyTorch: the
matrix is handed over transposed, so that its units are its columns.
"""

import torch
from pytorch_optimizer.optimizer.agc import agc

from formulas import SMOOTH, START, numbers, smooth, start, tensor, write

PARAMETERS = [("matrix", [4, 3], 0), ("vector", [5], 12), ("kernel", [2, 3, 2, 2], 17)]


def gradients():
    return {name: tensor(shape, lambda i: smooth(first + i, 1)) for name, shape, first in PARAMETERS}


def by_tensor(maximum):
    clipped = {}
    for name, gradient in gradients().items():
        parameter = torch.nn.Parameter(torch.zeros_like(gradient))
        parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_([parameter], maximum)
        clipped[name] = numbers(parameter.grad)
    return clipped


def adaptive(share):
    clipped = {}
    for (name, shape, first), gradient in zip(PARAMETERS, gradients().values()):
        weights = tensor(shape, lambda i: start(first + i))
        turned = (lambda values: values.T) if name == "matrix" else (lambda values: values)
        clipped[name] = numbers(turned(agc(turned(weights), turned(gradient), agc_clip_val=share)).contiguous())
    return clipped


write(
    "clipping.json",
    {
        "made_by": "make_clipping.py",
        "torch": torch.__version__,
        "pytorch_optimizer": "4.1.0",
        "weights": f"element i = {START}, i = first + flat row-major index",
        "gradient": f"of element i = {SMOOTH} with t = 1",
        "parameters": [{"name": name, "shape": shape, "first": first} for name, shape, first in PARAMETERS],
        "cases": [
            {"settings": {"tensor_norm": 1.5}, "gradients": by_tensor(1.5)},
            {"settings": {"adaptive": 0.01}, "gradients": adaptive(0.01)},
            {"settings": {"adaptive": 2.0}, "gradients": adaptive(2.0)},
        ],
    },
)
