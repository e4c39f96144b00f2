"""Exact values of the classic integrals, and SciPy's rules on other integrands.

python make_lab_integration.py > lab_integration.json      (numpy, scipy)
"""

import json

import numpy as np
import scipy
from scipy import integrate, special

classic = [
    special.erf(1 / np.sqrt(2)),
    special.erf(5 / np.sqrt(2)) - 10 * np.exp(-12.5) / np.sqrt(2 * np.pi),
    2 / 3,
    2 * np.pi * special.i0(1),
]

rules = []
for text, function, low, high in [
    ("exp(-x^2)", lambda x: np.exp(-(x**2)), -1.0, 2.0),
    ("1 / (1 + 25*x^2)", lambda x: 1 / (1 + 25 * x**2), -1.0, 1.0),
    ("sin(x)^2 + x^3", lambda x: np.sin(x) ** 2 + x**3, 0.0, 3.0),
    ("abs(x - 0.3)", lambda x: np.abs(x - 0.3), 0.0, 1.0),
]:
    x = np.linspace(low, high, 21)
    rules.append({
        "integrand": text,
        "from": low,
        "to": high,
        "trapezoid": float(integrate.trapezoid(function(x), x)),
        "simpson": float(integrate.simpson(function(x), x=x)),
        "gauss_legendre": float(integrate.fixed_quad(function, low, high, n=9)[0]),
        "quad": float(integrate.quad(function, low, high, epsabs=1e-13, epsrel=1e-13, limit=500)[0]),
    })

versions = {"numpy": np.__version__, "scipy": scipy.__version__}
print(json.dumps({"versions": versions, "classic": [float(v) for v in classic], "rules": rules}, indent=1))
