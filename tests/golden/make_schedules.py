"""Learning rates of 1,000 steps under torch.optim.lr_scheduler and keras.optimizers.schedules, in float64 -> schedules.json

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_schedules.py

Made with Python 3.11.7, torch 2.15.0, keras 3.15.1. `learning_rates` are those of the optimizer steps in `steps`, counted
from 0: every seventh, the first and last ones, and those around milestones. `settings` are written as in an experiment's
`[schedule]` section, for a run of 1,000 steps. Where PyTorch has a closed form beside the recursion that it steps by,
the closed form is taken: the recursion collects rounding errors. `plateaus` has one rate per epoch, used in the epoch
after the metric of the same index was seen.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import torch
from torch.optim import lr_scheduler

from formulas import write

keras.config.set_floatx("float64")
BASE_RATE = 0.1
STEPS = 1000
NEAR = [99, 100, 101, 199, 200, 201, 298, 299, 300, 301, 302, 499, 500, 501, 597, 598, 599, 600, 601, 899, 900, 901]
SAMPLED = sorted(set(range(0, STEPS, 7)) | set(range(5)) | set(NEAR) | {STEPS - 2, STEPS - 1})


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE_RATE)


def stepped(name, **options):
    """The rates of a PyTorch scheduler, step by step."""
    return run(lambda o: getattr(lr_scheduler, name)(o, **options))


def run(build):
    sgd = optimizer()
    scheduler = build(sgd)
    rates = []
    for _ in range(STEPS):
        rates.append(float(sgd.param_groups[0]["lr"]))
        sgd.step()
        scheduler.step()
    return rates


def closed(name, **options):
    """The rates of a PyTorch scheduler by its closed form, which its recursion must follow to 1e-9."""
    scheduler = getattr(lr_scheduler, name)(optimizer(), **options)
    rates = []
    for step in range(STEPS):
        scheduler.last_epoch = step
        rates.append(float(scheduler._get_closed_form_lr()[0]))
    for one, other in zip(rates, stepped(name, **options)):
        assert abs(one - other) <= 1e-9 * BASE_RATE, (name, one, other)
    return rates


def kept(name, *arguments, **options):
    """The rates of a Keras schedule."""
    schedule = getattr(keras.optimizers.schedules, name)(*arguments, **options)
    return [float(schedule(step)) for step in range(STEPS)]


def sequence(parts, milestones):
    return run(
        lambda o: lr_scheduler.SequentialLR(
            o, [getattr(lr_scheduler, name)(o, **options) for name, options in parts], milestones=milestones
        )
    )


def chained(*parts):
    return run(
        lambda o: lr_scheduler.ChainedScheduler([getattr(lr_scheduler, name)(o, **options) for name, options in parts])
    )


def settings(name, **options):
    return {"name": name, "per": "step"} | options


CASES = [
    ("ConstantLR(factor=1)", closed("ConstantLR", factor=1.0, total_iters=STEPS), settings("constant")),
    (
        "ConstantLR(factor=1/3, total_iters=100)",
        closed("ConstantLR", factor=1 / 3, total_iters=100),
        settings("piecewise_constant", boundaries=[99], factors=[1 / 3, 1.0]),
    ),
    (
        "PiecewiseConstantDecay([100, 600], [0.1, 0.05, 0.001])",
        kept("PiecewiseConstantDecay", [100, 600], [0.1, 0.05, 0.001]),
        settings("piecewise_constant", boundaries=[100, 600], factors=[1.0, 0.5, 0.01]),
    ),
    ("StepLR(300, 0.1)", closed("StepLR", step_size=300, gamma=0.1), settings("step", step_size=300, gamma=0.1)),
    (
        "MultiStepLR([100, 500, 900], 0.3)",
        closed("MultiStepLR", milestones=[100, 500, 900], gamma=0.3),
        settings("multi_step", milestones=[100, 500, 900], gamma=0.3),
    ),
    ("ExponentialLR(0.99)", closed("ExponentialLR", gamma=0.99), settings("exponential", gamma=0.99)),
    (
        "ExponentialDecay(0.1, 100, 0.9)",
        kept("ExponentialDecay", 0.1, 100, 0.9),
        settings("exponential", gamma=0.9, step_size=100),
    ),
    (
        "ExponentialDecay(0.1, 100, 0.9, staircase=True)",
        kept("ExponentialDecay", 0.1, 100, 0.9, staircase=True),
        settings("exponential", gamma=0.9, step_size=100, staircase=True),
    ),
    (
        "InverseTimeDecay(0.1, 100, 0.5)",
        kept("InverseTimeDecay", 0.1, 100, 0.5),
        settings("inverse_time", decay_rate=0.5, step_size=100),
    ),
    (
        "InverseTimeDecay(0.1, 100, 0.5, staircase=True)",
        kept("InverseTimeDecay", 0.1, 100, 0.5, staircase=True),
        settings("inverse_time", decay_rate=0.5, step_size=100, staircase=True),
    ),
    (
        "LinearLR(1.0, 0.1, total_iters=1000)",
        closed("LinearLR", start_factor=1.0, end_factor=0.1, total_iters=STEPS),
        settings("linear", start_factor=1.0, end_factor=0.1),
    ),
    (
        "LinearLR(total_iters=300)",
        closed("LinearLR", total_iters=300),
        settings("linear", start_factor=1 / 3, end_factor=1.0, length=300),
    ),
    (
        "PolynomialLR(total_iters=1000, power=0.9)",
        closed("PolynomialLR", total_iters=STEPS, power=0.9),
        settings("polynomial", power=0.9),
    ),
    (
        "PolynomialLR(total_iters=500, power=2)",
        closed("PolynomialLR", total_iters=500, power=2.0),
        settings("polynomial", power=2.0, length=500),
    ),
    (
        "PolynomialDecay(0.1, 600, 0.001, power=2)",
        kept("PolynomialDecay", 0.1, 600, 0.001, power=2.0),
        settings("polynomial", power=2.0, length=600, final_factor=0.01),
    ),
    (
        "PolynomialDecay(0.1, 300, 0.001, power=0.5, cycle=True)",
        kept("PolynomialDecay", 0.1, 300, 0.001, power=0.5, cycle=True),
        settings("polynomial", power=0.5, length=300, final_factor=0.01, cycle=True),
    ),
    ("CosineAnnealingLR(T_max=1000)", closed("CosineAnnealingLR", T_max=STEPS), settings("cosine")),
    (
        "CosineAnnealingLR(T_max=1000, eta_min=1e-5)",
        closed("CosineAnnealingLR", T_max=STEPS, eta_min=1e-5),
        settings("cosine", final_factor=1e-4),
    ),
    (
        "CosineDecay(0.0, 1000 - 100, warmup_target=0.1, warmup_steps=100, alpha=0.1)",
        kept("CosineDecay", 0.0, STEPS - 100, warmup_target=0.1, warmup_steps=100, alpha=0.1),
        settings("cosine", warmup=100, warmup_start_factor=0.0, final_factor=0.1),
    ),
    (
        "CosineAnnealingWarmRestarts(T_0=100, T_mult=2, eta_min=1e-4)",
        stepped("CosineAnnealingWarmRestarts", T_0=100, T_mult=2, eta_min=1e-4),
        settings("cosine_restarts", t_0=100, t_mult=2.0, final_factor=1e-3),
    ),
    (
        "CosineAnnealingWarmRestarts(T_0=7)",
        stepped("CosineAnnealingWarmRestarts", T_0=7),
        settings("cosine_restarts", t_0=7),
    ),
    (
        "CosineDecayRestarts(0.1, 50, t_mul=1.5, m_mul=0.8, alpha=0.01)",
        kept("CosineDecayRestarts", 0.1, 50, t_mul=1.5, m_mul=0.8, alpha=0.01),
        settings("cosine_restarts", t_0=50, t_mult=1.5, restart_factor=0.8, final_factor=0.01),
    ),
    (
        "OneCycleLR(0.1, 1000)",
        stepped("OneCycleLR", max_lr=0.1, total_steps=STEPS, cycle_momentum=False),
        settings("one_cycle"),
    ),
    (
        "OneCycleLR(0.1, 1000, pct_start=0.2, anneal_strategy='linear', div_factor=10, final_div_factor=100)",
        stepped(
            "OneCycleLR",
            max_lr=0.1,
            total_steps=STEPS,
            pct_start=0.2,
            anneal_strategy="linear",
            div_factor=10.0,
            final_div_factor=100.0,
            cycle_momentum=False,
        ),
        settings("one_cycle", pct_start=0.2, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0),
    ),
    (
        "OneCycleLR(0.1, 1000, three_phase=True)",
        stepped("OneCycleLR", max_lr=0.1, total_steps=STEPS, three_phase=True, cycle_momentum=False),
        settings("one_cycle", three_phase=True),
    ),
    (
        "CyclicLR(0.01, 0.1, 100)",
        stepped("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=100, cycle_momentum=False),
        settings("cyclic", step_size_up=100),
    ),
    (
        "CyclicLR(0.02, 0.1, 100, 200, mode='triangular2')",
        stepped(
            "CyclicLR",
            base_lr=0.02,
            max_lr=0.1,
            step_size_up=100,
            step_size_down=200,
            mode="triangular2",
            cycle_momentum=False,
        ),
        settings("cyclic", base_factor=0.2, step_size_up=100, step_size_down=200, mode="triangular2"),
    ),
    (
        "CyclicLR(0.01, 0.1, 50, mode='exp_range', gamma=0.995)",
        stepped(
            "CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=50, mode="exp_range", gamma=0.995, cycle_momentum=False
        ),
        settings("cyclic", step_size_up=50, mode="exp_range", gamma=0.995),
    ),
    (
        "SequentialLR([LinearLR(1/101, total_iters=100), StepLR(200, 0.5)], [100])",
        sequence(
            [
                ("LinearLR", {"start_factor": 1 / 101, "total_iters": 100}),
                ("StepLR", {"step_size": 200, "gamma": 0.5}),
            ],
            [100],
        ),
        settings("step", step_size=200, gamma=0.5, warmup=100),
    ),
    (
        "SequentialLR([ConstantLR(0.1), ExponentialLR(0.99), CosineAnnealingLR(T_max=400, eta_min=1e-3)], [300, 600])",
        sequence(
            [
                ("ConstantLR", {"factor": 0.1, "total_iters": 300}),
                ("ExponentialLR", {"gamma": 0.99}),
                ("CosineAnnealingLR", {"T_max": 400, "eta_min": 1e-3}),
            ],
            [300, 600],
        ),
        settings(
            "sequence",
            milestones=[300, 600],
            parts=[
                settings("constant", factor=0.1),
                settings("exponential", gamma=0.99),
                settings("cosine", final_factor=0.01),
            ],
        ),
    ),
    (
        "ChainedScheduler([LinearLR(0.1, total_iters=200), ExponentialLR(0.995)])",
        chained(("LinearLR", {"start_factor": 0.1, "total_iters": 200}), ("ExponentialLR", {"gamma": 0.995})),
        settings(
            "product",
            parts=[
                settings("linear", start_factor=0.1, end_factor=1.0, length=200),
                settings("exponential", gamma=0.995),
            ],
        ),
    ),
]

FALLING = [2.0 * 0.8 ** min(epoch, 8) + 0.01 * (-1) ** epoch for epoch in range(40)]
RISING = [1.0 - value / 3.0 for value in FALLING]
BROKEN = [value if epoch % 5 != 3 else float("nan") for epoch, value in enumerate(FALLING)]


def plateau(metric, values, ours, **options):
    sgd = optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(sgd, eps=0.0, **options)
    rates = []
    for value in values:
        scheduler.step(value)
        rates.append(float(sgd.param_groups[0]["lr"]))
    return {
        "name": f"ReduceLROnPlateau({', '.join(f'{key}={value!r}' for key, value in options.items())})",
        "settings": {"name": "reduce_on_plateau", "monitor": metric} | ours,
        "values": [None if value != value else value for value in values],
        "learning_rates": rates,
    }


PLATEAUS = [
    plateau("val_loss", FALLING, {}),
    plateau("val_loss", FALLING, {"patience": 2, "factor": 0.5}, patience=2, factor=0.5),
    plateau("val_loss", FALLING, {"patience": 0, "threshold": 0.3}, patience=0, threshold=0.3),
    plateau(
        "val_loss",
        FALLING,
        {"patience": 1, "threshold": 0.1, "threshold_mode": "absolute", "cooldown": 4, "min_factor": 0.005},
        patience=1,
        threshold=0.1,
        threshold_mode="abs",
        cooldown=4,
        min_lr=0.0005,
    ),
    plateau("val_accuracy", RISING, {"patience": 3, "factor": 0.2}, mode="max", patience=3, factor=0.2),
    plateau(
        "val_accuracy",
        RISING,
        {"mode": "max", "patience": 1, "threshold": 0.02, "threshold_mode": "absolute", "cooldown": 1},
        mode="max",
        patience=1,
        threshold=0.02,
        threshold_mode="abs",
        cooldown=1,
    ),
    plateau("val_loss", BROKEN, {"patience": 1, "factor": 0.5}, patience=1, factor=0.5),
]

write(
    "schedules.json",
    {
        "made_by": "make_schedules.py",
        "torch": torch.__version__,
        "keras": keras.__version__,
        "base_rate": BASE_RATE,
        "total_steps": STEPS,
        "steps": SAMPLED,
        "cases": [
            {"name": name, "settings": ours, "learning_rates": [rates[step] for step in SAMPLED]}
            for name, rates, ours in CASES
        ],
        "plateaus": PLATEAUS,
    },
)
