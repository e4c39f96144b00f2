"""Writes kernels_convolution.json: the fused convolution block by PyTorch, in float64.

Run: python make_kernels_convolution.py   (needs torch)
"""

import json
import pathlib

import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)
torch.manual_seed(20240613)


def numbers(*size):
    """Normal numbers, as float32 holds them."""
    return torch.randn(size).float().double()


def values(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def case(batch, in_channels, height, width, out_channels, kernel, stride, padding, relu, pool):
    source = numbers(batch, in_channels, height, width).requires_grad_()
    weight = numbers(out_channels, in_channels, *kernel).requires_grad_()
    bias = numbers(out_channels).requires_grad_()
    output = functional.conv2d(source, weight, bias, stride=stride, padding=padding)
    if relu:
        output = functional.relu(output)
    if pool:
        output = functional.max_pool2d(output, 2)
    gradient = numbers(*output.shape)
    output.backward(gradient)
    return {
        "batch": batch,
        "in_channels": in_channels,
        "height": height,
        "width": width,
        "out_channels": out_channels,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "relu": relu,
        "pool": pool,
        "input_values": values(source),
        "weight_values": values(weight),
        "bias_values": values(bias),
        "grad_output_values": values(gradient),
        "output": values(output),
        "input": values(source.grad),
        "weight": values(weight.grad),
        "bias": values(bias.grad),
    }


golden = {
    "versions": {"torch": torch.__version__},
    "cases": [
        case(2, 3, 9, 8, 5, [3, 3], [1, 1], [0, 0], True, True),
        case(1, 18, 5, 6, 17, [3, 3], [1, 1], [1, 1], True, False),
        case(2, 2, 7, 9, 3, [5, 3], [2, 1], [2, 0], False, True),
        case(2, 20, 4, 3, 6, [1, 1], [1, 1], [0, 0], False, False),
        case(1, 1, 1, 1, 1, [1, 1], [3, 2], [0, 0], True, False),
        case(2, 16, 7, 6, 19, [3, 3], [1, 1], [0, 1], True, True),
    ],
}
path = pathlib.Path(__file__).with_name("kernels_convolution.json")
path.write_text(json.dumps(golden) + "\n")
