"""The learning rates of 100 steps under torch.optim.lr_scheduler, in float64 -> schedules.json

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_schedules.py

Made with Python 3.11.7, torch 2.15.0. Element s is the rate used by optimizer step s, counted from 0. `settings` are
written as in an experiment's `[schedule]` section, for a run of 100 steps; null where Converge has no equal.
"""

import torch
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    SequentialLR,
    StepLR,
)

from formulas import write

BASE_RATE = 0.1
STEPS = 100
WARMUP = 10


def warmup_then_cosine(start_factor):
    def build(optimizer):
        warmup = LinearLR(optimizer, start_factor=start_factor, end_factor=1.0, total_iters=WARMUP)
        cosine = CosineAnnealingLR(optimizer, T_max=STEPS - WARMUP)
        return SequentialLR(optimizer, [warmup, cosine], milestones=[WARMUP])

    return build


CASES = [  # name, PyTorch scheduler, settings
    ("constant", lambda o: ConstantLR(o, factor=1.0, total_iters=STEPS), {"name": "constant"}),
    (
        "StepLR(step_size=30, gamma=0.1)",
        lambda o: StepLR(o, step_size=30, gamma=0.1),
        {"name": "step", "step_size": 30, "gamma": 0.1, "per": "step"},
    ),
    (
        "ExponentialLR(gamma=0.95)",
        lambda o: ExponentialLR(o, gamma=0.95),
        {"name": "exponential", "gamma": 0.95, "per": "step"},
    ),
    (
        "CosineAnnealingLR(T_max=100, eta_min=1e-5)",
        lambda o: CosineAnnealingLR(o, T_max=STEPS, eta_min=1e-5),
        {"name": "cosine", "final_factor": 1e-4, "per": "step"},
    ),
    (
        "LinearLR(start_factor=1.0, end_factor=0.1, total_iters=100)",
        lambda o: LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=STEPS),
        {"name": "linear", "start_factor": 1.0, "end_factor": 0.1, "per": "step"},
    ),
    (
        "SequentialLR([LinearLR(start_factor=0.1, total_iters=10), CosineAnnealingLR(T_max=90)], milestones=[10])",
        warmup_then_cosine(0.1),
        None,
    ),
    (
        "SequentialLR([LinearLR(start_factor=1/11, total_iters=10), CosineAnnealingLR(T_max=90)], milestones=[10])",
        warmup_then_cosine(1 / (WARMUP + 1)),
        {"name": "cosine", "warmup": WARMUP, "per": "step"},
    ),
]


def rates(build):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE_RATE)
    scheduler = build(optimizer)
    result = []
    for _ in range(STEPS):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return result


write(
    "schedules.json",
    {
        "made_by": "make_schedules.py",
        "torch": torch.__version__,
        "base_rate": BASE_RATE,
        "steps": STEPS,
        "cases": [
            {"name": name, "settings": settings, "learning_rates": rates(build)} for name, build, settings in CASES
        ],
    },
)
