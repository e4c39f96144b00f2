"""Moments of importance weights by quadrature, and an importance estimate by NumPy.

python make_lab_monte_carlo.py > lab_monte_carlo.json      (numpy, scipy)
"""

import json

import numpy as np
import scipy
from scipy import integrate, stats

target = stats.norm(2, 1.5)

theory = []
for mean, deviation in [(0, 2), (2, 1.5), (2, 4), (-4, 2), (3, 1.2)]:
    proposal = stats.norm(mean, deviation)

    def square(x, power=0):
        return np.exp(2 * target.logpdf(x) - proposal.logpdf(x)) * (x - 2) ** power

    second, fourth = (
        integrate.quad(square, -60, 80, args=(power,), points=[2, 8], epsrel=1e-12, epsabs=0, limit=500)[0] for power in (0, 2)
    )
    theory.append({"proposal": f"{mean}:{deviation}", "second_moment": second, "variance": fourth})

x = np.random.default_rng(1).normal(0, 2, 50)
weights = np.exp(target.logpdf(x) - stats.norm(0, 2).logpdf(x))
mean = (weights * x).sum() / weights.sum()
print(json.dumps({
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
    "theory": theory,
    "samples": x.tolist(),
    "mean": mean,
    "standard_error": np.sqrt((weights**2 * (x - mean) ** 2).sum()) / weights.sum(),
    "effective": weights.sum() ** 2 / (weights**2).sum(),
}, indent=1))
