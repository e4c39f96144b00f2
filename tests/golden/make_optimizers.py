"""Where torch.optim takes a few small parameters in 50 float32 steps -> optimizers.json

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_optimizers.py

Made with Python 3.11.7, torch 2.15.0. `settings` are written as in an experiment's `[optimizer]` section.
"""

import torch

from formulas import SMOOTH, START, numbers, smooth, start, tensor, write

PARAMETERS = [  # name, shape, index i of the first element
    ("matrix", [4, 3], 0),
    ("vector", [5], 12),
    ("kernel", [2, 3, 2, 2], 17),
    ("resting_row", [4, 3], 41),
]
RESTING_ROW = 2
RECORDED_STEPS = [1, 10, 50]

CASES = [  # name, settings
    ("sgd", {"name": "sgd", "learning_rate": 0.1}),
    ("sgd, weight decay", {"name": "sgd", "learning_rate": 0.1, "weight_decay": 0.01}),
    ("sgd, momentum", {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}),
    ("sgd, momentum, dampening", {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "dampening": 0.1}),
    (
        "sgd, nesterov, weight decay",
        {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ),
    ("adam, defaults", {"name": "adam"}),
    ("adam, weight decay", {"name": "adam", "weight_decay": 0.01}),
    # With the default betas, 50 such steps cannot tell amsgrad from Adam: the second moment only grows.
    ("adam, amsgrad, betas", {"name": "adam", "learning_rate": 0.01, "betas": [0.9, 0.9], "amsgrad": True}),
    ("adam, betas, epsilon", {"name": "adam", "learning_rate": 0.01, "betas": [0.8, 0.99], "epsilon": 1e-5}),
    ("adamw, defaults", {"name": "adamw"}),
    ("rmsprop, defaults", {"name": "rmsprop"}),
    ("rmsprop, momentum", {"name": "rmsprop", "momentum": 0.9}),
]
CLASSES = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}
TORCH_KEYS = {"learning_rate": "lr", "epsilon": "eps"}


def gradient(name, shape, first, t):
    values = tensor(shape, lambda i: smooth(first + i, t))
    if name == "resting_row":
        values[RESTING_ROW] = 0
    return values


def trajectory(settings):
    parameters = [torch.nn.Parameter(tensor(shape, lambda i: start(first + i))) for _, shape, first in PARAMETERS]
    options = {TORCH_KEYS.get(key, key): value for key, value in settings.items() if key != "name"}
    optimizer = CLASSES[settings["name"]](parameters, **options)
    after = {}
    for step in range(1, max(RECORDED_STEPS) + 1):
        for parameter, description in zip(parameters, PARAMETERS):
            parameter.grad = gradient(*description, step)
        optimizer.step()
        if step in RECORDED_STEPS:
            after[str(step)] = {
                name: numbers(parameter) for parameter, (name, _, _) in zip(parameters, PARAMETERS)
            }
    return after


write(
    "optimizers.json",
    {
        "made_by": "make_optimizers.py",
        "torch": torch.__version__,
        "dtype": "float32",
        "initial": f"parameter element i = {START}",
        "gradient": f"gradient of element i in step t (from 1) = {SMOOTH}, but 0 in row {RESTING_ROW} of resting_row",
        "index": "i = first + flat row-major index; formulas in float64, then rounded to float32",
        "parameters": [{"name": name, "shape": shape, "first": first} for name, shape, first in PARAMETERS],
        "cases": [
            {"name": name, "settings": settings, "after": trajectory(settings)} for name, settings in CASES
        ],
    },
)
