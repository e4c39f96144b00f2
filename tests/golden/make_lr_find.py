"""Golden values of the four rules by which fastai's `lr_find` suggests a rate.

The rules are those of fastai 2.8 (`fastai/callback/schedule.py`: `valley`, `slide`, `minimum`,
`steep`), written here with NumPy 2.3 from their definitions. Run: python make_lr_find.py
"""

import json

import numpy as np


def valley(rates, losses):
    lengths, start, end = [1] * len(losses), 0, 0
    for later in range(1, len(losses)):
        for earlier in range(later):
            if losses[later] < losses[earlier] and lengths[later] < lengths[earlier] + 1:
                lengths[later] = lengths[earlier] + 1
            if lengths[end] < lengths[later]:
                end = later
                start = end - lengths[end]
    third = (end - start) / 3
    return rates[start + int(third) + int(third / 2)]


def slide(rates, losses, apart=15, alike=0.005):
    slopes = np.gradient(losses)
    right = -1
    left = right - apart
    found = rates[left]
    while left >= -len(losses) and abs(slopes[right] - slopes[left]) > alike:
        found = rates[left]
        right -= 1
        left -= 1
    return found


def steepest(rates, losses):
    return rates[np.argmin(np.diff(losses) / np.diff(np.log(rates)))]


def minimum_tenth(rates, losses):
    return rates[np.argmin(losses)] / 10


rng = np.random.default_rng(0)
rates = np.logspace(-6, 0, 85)
x = np.log10(rates)
curves = {
    # Falls around 1e-3, rises steeply beyond 1e-1.
    "classification": 2.3 - 1.6 / (1 + np.exp(-2.5 * (x + 2.8))) + np.exp(4.0 * (x + 0.6)),
    # The same with noise.
    "noisy": 2.3 - 1.6 / (1 + np.exp(-2.5 * (x + 2.8))) + np.exp(4.0 * (x + 0.6)) + 0.02 * rng.standard_normal(85),
    # Falls all the way.
    "falling": 1.0 - 0.1 * (x + 6),
    # Rises all the way.
    "rising": 1.0 + 0.1 * (x + 6) ** 2,
}
cases = [
    {
        "name": name,
        "losses": losses.tolist(),
        "valley": float(valley(rates, losses)),
        "slide": float(slide(rates, losses)),
        "steepest": float(steepest(rates, losses)),
        "minimum_tenth": float(minimum_tenth(rates, losses)),
    }
    for name, losses in curves.items()
]
with open("lr_find.json", "w") as file:
    json.dump({"rates": rates.tolist(), "cases": cases}, file)
    file.write("\n")
