"""Writes race.json: paired t by SciPy; power and Holm's correction by statsmodels.

Run: python make_race.py   (needs scipy and statsmodels)
"""

import json
import pathlib

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

random = np.random.default_rng(18)


def paired(count, shift):
    seed = random.normal(size=count)
    a = seed + 0.3 * random.normal(size=count) + shift
    b = seed + 0.3 * random.normal(size=count)
    test = stats.ttest_rel(a, b)
    interval = test.confidence_interval(0.95)
    return {"a": a.tolist(), "b": b.tolist(), "p": float(test.pvalue), "interval": [float(interval.low), float(interval.high)]}


def power(effect, alpha):
    return {"effect": effect, "alpha": alpha, "pairs": float(TTestPower().solve_power(effect_size=effect, alpha=alpha, power=0.8))}


def holm(count, alpha):
    p = random.beta(0.3, 3, size=count)
    return {"p": p.tolist(), "alpha": alpha, "reject": multipletests(p, alpha, method="holm")[0].tolist()}


golden = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "paired": [paired(2, 1.0), paired(3, 0.0), paired(3, 1.0), paired(7, 0.2), paired(20, -0.3)],
    "power": [power(effect, alpha) for effect in (0.2, 0.5, 1.0, 1.5) for alpha in (0.05, 0.01)],
    "holm": [holm(count, 0.05) for count in (1, 3, 6, 10, 15)],
}
path = pathlib.Path(__file__).with_name("race.json")
path.write_text(json.dumps(golden) + "\n")
