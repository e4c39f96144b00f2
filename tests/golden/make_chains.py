"""Diagnostics of chains by ArviZ -> chains.json

    pip install arviz==0.23.4
    python tests/golden/make_chains.py

Made with Python 3.11.7, arviz 0.23.4, numpy 2.4.6. Chain c is the sum x_i = memory x_(i-1) + mixed(i, 7c), then
x_i (1 + spread c) + shift c.
"""

import arviz
import numpy

from formulas import mixed, write

CASES = [
    {"chains": 4, "draws": 400, "memory": 0.5, "shift": 0.0, "spread": 0.0},
    {"chains": 4, "draws": 401, "memory": 0.95, "shift": 0.0, "spread": 0.0},
    {"chains": 3, "draws": 300, "memory": 0.8, "shift": 1.0, "spread": 0.0},
    {"chains": 2, "draws": 250, "memory": -0.6, "shift": 0.0, "spread": 0.5},
    {"chains": 1, "draws": 101, "memory": 0.3, "shift": 0.0, "spread": 0.0},
    {"chains": 2, "draws": 6, "memory": 0.3, "shift": 0.0, "spread": 0.0},
]


def chain(case, c):
    values, value = [], 0.0
    for i in range(case["draws"]):
        value = case["memory"] * value + mixed(i, 7 * c)
        values.append(value * (1 + case["spread"] * c) + case["shift"] * c)
    return values


def autocorrelation(values, lags):
    values = numpy.asarray(values) - numpy.mean(values)
    covariance = [float(values[: len(values) - lag] @ values[lag:]) for lag in range(lags + 1)]
    return [value / covariance[0] for value in covariance]


def diagnose(case):
    chains = numpy.array([chain(case, c) for c in range(case["chains"])])
    # ArviZ asks for two chains; the halves of one are two.
    half = chains.shape[1] // 2
    halves = numpy.concatenate([chains[:, :half], chains[:, -half:]])
    rhat = lambda method: float(arviz.stats.diagnostics._rhat(method(halves)))
    scale, fold = arviz.stats.diagnostics._z_scale, arviz.stats.diagnostics._z_fold
    rank = max(rhat(scale), rhat(fold))
    if case["chains"] > 1:
        assert rank == float(arviz.rhat(chains, method="rank"))
        assert rhat(lambda x: x) == float(arviz.rhat(chains, method="split"))
    return {
        **case,
        "autocorrelation": autocorrelation(chains[0], 5),
        "split_r_hat": rhat(lambda x: x),
        "rank_r_hat": rank,
        "mean_ess": float(arviz.ess(chains, method="mean")),
        "bulk_ess": float(arviz.ess(chains, method="bulk")),
    }


write("chains.json", {"arviz": arviz.__version__, "numpy": numpy.__version__, "cases": [diagnose(case) for case in CASES]})
