"""Where torch.optim.LBFGS takes a chained Rosenbrock function -> lbfgs.json

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_lbfgs.py

Made with Python 3.11.7, torch 2.15.0. A step takes at most `max_iterations` directions.
"""

import torch

from formulas import START, numbers, start, tensor, write

STEPS = 4
PARAMETERS = [("matrix", [3, 2], 0), ("vector", [4], 6)]
KEYS = {
    "learning_rate": "lr",
    "max_iterations": "max_iter",
    "history": "history_size",
    "gradient_tolerance": "tolerance_grad",
    "change_tolerance": "tolerance_change",
    "max_evaluations": "max_eval",
}
CASES = [
    {"max_iterations": 3},
    {"max_iterations": 3, "history": 2},
    {"max_iterations": 4, "max_evaluations": 6, "learning_rate": 0.5},
    {"max_iterations": 4, "learning_rate": 0.05, "line_search": False},
]


def loss(parameters):
    x = torch.cat([parameter.flatten() for parameter in parameters])
    return ((1 - x) ** 2).sum() + 10 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def trajectory(settings):
    parameters = [
        torch.nn.Parameter(tensor(shape, lambda i: start(first + i), torch.float64)) for _, shape, first in PARAMETERS
    ]
    options = {KEYS[key]: value for key, value in settings.items() if key != "line_search"}
    search = "strong_wolfe" if settings.get("line_search", True) else None
    optimizer = torch.optim.LBFGS(parameters, line_search_fn=search, **options)

    def closure():
        optimizer.zero_grad()
        value = loss(parameters)
        value.backward()
        return value

    after = []
    for _ in range(STEPS):
        optimizer.step(closure)
        weights = {name: numbers(parameter) for parameter, (name, _, _) in zip(parameters, PARAMETERS)}
        evaluations = optimizer.state[parameters[0]]["func_evals"]
        after.append({"loss": loss(parameters).item(), "evaluations": evaluations} | weights)
    return {"settings": settings, "after": after}


write(
    "lbfgs.json",
    {
        "made_by": "make_lbfgs.py",
        "torch": torch.__version__,
        "dtype": "float64",
        "initial": f"parameter element i = {START}, i = first + flat row-major index, matrix before vector",
        "loss": "sum (1 - x_i)^2 + 10 sum (x_{i+1} - x_i^2)^2 over the elements x of all parameters",
        "cases": [trajectory(settings) for settings in CASES],
    },
)
