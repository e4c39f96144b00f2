"""Losses of XOR networks trained by PyTorch, for `converge lab convergence-types`."""

import json
import math
import pathlib

import torch

STEPS = [0, 10, 50, 100, 200]
start = [0.8 * math.sin(2.3 * i) for i in range(6 * 9)]
parameters = torch.tensor(start, dtype=torch.float64).reshape(6, 9).requires_grad_()
inputs = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
targets = torch.tensor([0.0, 1, 1, 0], dtype=torch.float64)
optimizer = torch.optim.SGD([parameters], lr=0.1, momentum=0.9)


def losses():
    weights = parameters[:, :4].reshape(6, 2, 2)  # [input, unit]
    units = torch.relu(torch.einsum("pi,niu->npu", inputs, weights) + parameters[:, None, 4:6])
    outputs = (units * parameters[:, None, 6:8]).sum(-1) + parameters[:, 8:9]
    return (outputs - targets).pow(2).mean(1)


rows = []
for step in range(STEPS[-1] + 1):
    value = losses()
    if step in STEPS:
        rows.append(value.detach().tolist())
    optimizer.zero_grad()
    value.sum().backward()
    optimizer.step()
path = pathlib.Path(__file__).with_name("lab_convergence_types.json")
lines = ",\n    ".join(json.dumps(row) for row in rows)
path.write_text(f'{{\n  "torch": "{torch.__version__}",\n  "losses": [\n    {lines}\n  ]\n}}\n')
