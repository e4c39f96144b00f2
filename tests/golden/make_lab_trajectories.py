"""Where PyTorch's optimizers are after some steps on the surfaces of `converge lab trajectories`."""

import json
import math
import pathlib

import torch

SURFACES = {
    "rosenbrock": (lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, (-1.2, 1.0)),
    "beale": (
        lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
        (1.0, 1.0),
    ),
    "himmelblau": (lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, (-0.5, -0.5)),
    "rastrigin": (
        lambda x, y: 20 + x**2 - 10 * torch.cos(2 * math.pi * x) + y**2 - 10 * torch.cos(2 * math.pi * y),
        (3.3, -2.4),
    ),
    "quadratic": (lambda x, y: x**2 + 10 * y**2, (-4.0, 2.5)),
}

OPTIMIZERS = {
    "sgd:0.001": lambda p: torch.optim.SGD(p, lr=0.001),
    "momentum:0.0003": lambda p: torch.optim.SGD(p, lr=0.0003, momentum=0.9),
    "nesterov:0.0003": lambda p: torch.optim.SGD(p, lr=0.0003, momentum=0.9, nesterov=True),
    "rmsprop:0.01": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "adam:0.1": lambda p: torch.optim.Adam(p, lr=0.1),
}


def case(surface, optimizer, steps):
    function, start = SURFACES[surface]
    place = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    stepper = OPTIMIZERS[optimizer]([place])
    for _ in range(steps):
        stepper.zero_grad()
        function(place[0], place[1]).backward()
        stepper.step()
    return {"surface": surface, "optimizer": optimizer, "steps": steps, "end": place.tolist()}


cases = [case(surface, optimizer, 60) for surface in SURFACES for optimizer in OPTIMIZERS]
path = pathlib.Path(__file__).with_name("lab_trajectories.json")
lines = ",\n    ".join(json.dumps(case) for case in cases)
path.write_text(f'{{\n  "torch": "{torch.__version__}",\n  "cases": [\n    {lines}\n  ]\n}}\n')
