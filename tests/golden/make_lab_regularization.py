"""Writes lab_regularization.json: ridge and lasso weights by scikit-learn. The loss of the lab is the mean
squared error plus l1 sum|w| + l2 sum w^2: Ridge's alpha is n l2, Lasso's is l1 / 2."""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.linear_model import Lasso, Ridge

random = np.random.default_rng(5)
n, d = 20, 4
x = random.normal(size=(n, d))
x /= np.sqrt((x**2).mean(axis=0))
y = x @ np.array([2.0, -1.0, 0.3, 0.0]) + 0.3 * random.normal(size=n)
cases = []
for l1, l2 in [(0.0, 0.1), (0.0, 2.0), (0.5, 0.0), (1.5, 0.0)]:
    if l1:
        model = Lasso(alpha=l1 / 2, fit_intercept=False, tol=1e-12, max_iter=100_000)
    else:
        model = Ridge(alpha=n * l2, fit_intercept=False)
    cases.append({"l1": l1, "l2": l2, "weights": model.fit(x, y).coef_.tolist()})
golden = {
    "versions": {"sklearn": sklearn.__version__, "numpy": np.__version__},
    "inputs": x.reshape(-1).tolist(),
    "targets": y.tolist(),
    "cases": cases,
}
path = pathlib.Path(__file__).with_name("lab_regularization.json")
path.write_text(json.dumps(golden) + "\n")
