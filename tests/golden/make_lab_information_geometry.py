"""Geodesics of normal distributions by SciPy's boundary value solver -> lab_information_geometry.json

    pip install scipy
    python tests/golden/make_lab_information_geometry.py

Made with Python 3.11.7, scipy 1.17.1. The geodesic equation of ds² = dμ²/σ² + 2 dσ²/σ² is μ'' = 2 μ' σ'/σ,
σ'' = σ'²/σ − μ'²/(2σ). The length is the integral of the speed.
"""

import numpy
import scipy
from scipy.integrate import quad, solve_bvp

from formulas import write

CASES = [([0, 1], [1, 1]), ([0, 1], [4, 0.5]), ([0, 1], [4, 1]), ([-1, 0.5], [0.2, 3]), ([2, 0.7], [2, 1.9])]


def slope(_, state):
    mean, deviation, by_mean, by_deviation = state
    return [by_mean, by_deviation, 2 * by_mean * by_deviation / deviation, (by_deviation**2 - by_mean**2 / 2) / deviation]


def geodesic(start, end):
    time = numpy.linspace(0, 1, 2001)
    # A bent first guess, since paths between equal deviations rise in between.
    guess = numpy.array([
        numpy.interp(time, [0, 1], [start[0], end[0]]),
        numpy.interp(time, [0, 1], [start[1], end[1]]) + 0.3 * abs(end[0] - start[0]) * time * (1 - time),
        numpy.full_like(time, end[0] - start[0]),
        numpy.full_like(time, end[1] - start[1]),
    ])
    ends = lambda a, b: [a[0] - start[0], a[1] - start[1], b[0] - end[0], b[1] - end[1]]
    solution = solve_bvp(slope, ends, time, guess, tol=1e-10, max_nodes=200_000)
    assert solution.success, solution.message

    def speed(t):
        _, deviation, by_mean, by_deviation = solution.sol(t)
        return numpy.sqrt(by_mean**2 + 2 * by_deviation**2) / deviation

    length = quad(speed, 0, 1, epsabs=1e-12)[0]
    middle = solution.sol(0.5)[:2]
    return {"from": start, "to": end, "length": float(length), "middle": [float(value) for value in middle]}


write("lab_information_geometry.json", {"scipy": scipy.__version__, "cases": [geodesic(*case) for case in CASES]})
