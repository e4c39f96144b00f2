"""Writes lab_activations.json: activation functions and derivatives, double precision, by PyTorch."""

import json
import pathlib

import torch
import torch.nn.functional as F

FUNCTIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "ReLU": F.relu,
    "leaky ReLU": F.leaky_relu,
    "GELU": F.gelu,
    "SiLU": F.silu,
}

places = [-8.0, -5.0, -2.4, -1.3, -0.75, -0.1, 0.0, 0.3, 0.7, 1.0, 1.4142135623730951, 2.4, 4.2, 8.0]
golden = {"versions": {"torch": torch.__version__}, "places": places}
for name, function in FUNCTIONS.items():
    x = torch.tensor(places, dtype=torch.float64, requires_grad=True)
    y = function(x)
    y.sum().backward()
    golden[name] = {"values": y.tolist(), "derivatives": x.grad.tolist()}
path = pathlib.Path(__file__).with_name("lab_activations.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
