"""Fits of levelling curves by scipy.optimize.curve_fit, profile intervals of their floors, and Student's quantiles."""

import json
import pathlib

import numpy as np
import scipy
from scipy.optimize import brentq, curve_fit
from scipy.stats import t as student

from formulas import mixed

MODELS = {
    "exponential": lambda t, floor, amplitude, rate: floor + amplitude * np.exp(-rate * t),
    "power law": lambda t, floor, amplitude, rate: floor + amplitude * t ** (-rate),
}


def fit(model, floor, amplitude, rate, count, noise, key):
    function = MODELS[model]
    t = np.arange(1, count + 1, dtype=float)
    y = function(t, floor, amplitude, rate) + noise * np.array([mixed(i, key) for i in range(1, count + 1)])
    options = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "maxfev": 100000}
    found, covariance = curve_fit(function, t, y, p0=(floor, amplitude, rate), **options)
    least = ((y - function(t, *found)) ** 2).sum()
    spread = np.sqrt(least / (count - 3))
    limit = student.ppf(0.975, count - 3)

    def excess(at):
        best = min(
            ((y - function(t, at, *curve_fit(lambda t, a, b: function(t, at, a, b), t, y, p0=start, **options)[0])) ** 2).sum()
            for start in [found[1:], (amplitude, rate)]
        )
        return np.sqrt(max(best - least, 0)) / spread - limit

    ends = []
    for side in (-1, 1):
        far = np.sqrt(covariance[0, 0])
        while far < 1e4 and excess(found[0] + side * far) < 0:
            far *= 2
        ends.append(brentq(lambda d: excess(found[0] + side * d), 0, far, xtol=1e-13) * side + found[0])
    return {
        "model": model, "floor": floor, "amplitude": amplitude, "rate": rate, "count": count, "noise": noise, "key": key,
        "parameters": found.tolist(), "standard_errors": np.sqrt(np.diag(covariance)).tolist(), "profile": ends,
    }  # fmt: skip


fits = [
    fit("exponential", 0.3, 2.0, 0.05, 100, 0.04, 1),
    fit("exponential", 0.3, 2.0, 0.05, 40, 0.02, 2),
    fit("exponential", 1.0, -0.8, 0.2, 30, 0.01, 3),
    fit("exponential", 0.0, 1.0, 1.0, 12, 0.01, 4),
    fit("power law", 0.3, 2.0, 0.7, 100, 0.04, 5),
    fit("power law", 0.3, 2.0, 0.7, 40, 0.02, 6),
    fit("power law", 1.5, 4.0, 0.4, 200, 0.01, 7),
    fit("power law", 0.1, 1.0, 1.5, 25, 0.01, 8),
]
quantiles = [
    [level, freedom, student.ppf(0.5 + level / 2, freedom)]
    for level in (0.5, 0.9, 0.95, 0.99)
    for freedom in (1, 2, 3, 4, 5, 10, 37, 97, 1000)
]
path = pathlib.Path(__file__).with_name("lab_convergence_curve.json")
rows = lambda items: ",\n    ".join(json.dumps(item) for item in items)
path.write_text(
    f'{{\n  "scipy": "{scipy.__version__}",\n  "numpy": "{np.__version__}",\n'
    f'  "fits": [\n    {rows(fits)}\n  ],\n  "quantiles": [\n    {rows(quantiles)}\n  ]\n}}\n'
)
