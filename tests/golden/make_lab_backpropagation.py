"""Writes lab_backpropagation.json: the sigmoid network 3-4-1 by PyTorch in double precision, 200 steps
of gradient descent with rate 2 on half the sum of squared errors over the exclusive or."""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
x = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=torch.float64)
t = torch.tensor([[0], [1], [1], [0]], dtype=torch.float64)
hidden, output = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)
parameters = [hidden.weight, hidden.bias, output.weight, output.bias]
with torch.no_grad():
    first = 0
    for parameter in parameters:
        index = torch.arange(first, first + parameter.numel(), dtype=torch.float64)
        parameter.copy_(torch.sin(2.3 * index + 0.4).reshape(parameter.shape))
        first += parameter.numel()


def flat(tensors):
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).tolist()


golden = {"versions": {"torch": torch.__version__}, "weights": flat(parameters), "losses": []}
optimizer = torch.optim.SGD(parameters, lr=2.0)
for step in range(201):
    optimizer.zero_grad()
    y = torch.sigmoid(output(torch.sigmoid(hidden(x))))
    loss = 0.5 * ((y - t) ** 2).sum()
    loss.backward()
    golden["losses"].append(loss.item())
    if step == 0:
        golden["gradients"] = flat([parameter.grad for parameter in parameters])
    if step < 200:
        optimizer.step()
golden["weights_at_the_end"] = flat(parameters)
path = pathlib.Path(__file__).with_name("lab_backpropagation.json")
path.write_text(json.dumps(golden) + "\n")
