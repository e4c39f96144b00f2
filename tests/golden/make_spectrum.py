"""Writes spectrum.json: symmetric matrices and their eigenvalues by numpy.linalg.eigh.

Run: python make_spectrum.py   (needs numpy)
"""

import json
import pathlib

import numpy as np

random = np.random.default_rng(18)


def case(rows, rank=None):
    factor = random.normal(size=(rows, rank or rows))
    matrix = factor @ factor.T / rows if rank else (factor + factor.T) / 2
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return {
        "rows": rows,
        "matrix": matrix.ravel().tolist(),
        "eigenvalues": eigenvalues.tolist(),
        "largest_vector": vectors[:, -1].tolist(),
        "trace": float(np.trace(matrix)),
    }


golden = {"versions": {"numpy": np.__version__}, "cases": [case(12), case(40), case(50, rank=5)]}
path = pathlib.Path(__file__).with_name("spectrum.json")
path.write_text(json.dumps(golden) + "\n")
