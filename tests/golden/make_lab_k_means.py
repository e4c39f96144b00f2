"""scikit-learn's KMeans on points and starts written out, and on the points of the lab's defaults.

The second are a CSV file of the lab (`points.csv`, columns x and y):
python make_lab_k_means.py points.csv > lab_k_means.json      (numpy, scikit-learn)
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.cluster import KMeans

random = np.random.default_rng(7)
groups = np.array([[0.0, 0.0], [4.0, 1.0], [1.0, 5.0]])
points = np.round(np.concatenate([g + random.normal(0, 1.2, (25, 2)) for g in groups]), 3)


def fit(start):
    return KMeans(len(start), init=np.array(start), n_init=1, tol=0, max_iter=1000, algorithm="lloyd").fit(points)


starts = {
    "from points 0, 1, 2": points[[0, 1, 2]].tolist(),
    "a point of each group": points[[0, 25, 50]].tolist(),
    "four clusters": points[[3, 30, 60, 61]].tolist(),
    "six clusters": points[[3, 30, 60, 61, 62, 63]].tolist(),
    "empty cluster": [points[0].tolist(), points[30].tolist(), [100.0, 100.0]],
}
runs = []
for name, start in starts.items():
    model = fit(start)
    runs.append({
        "name": name,
        "start": start,
        "labels": model.labels_.tolist(),
        "inertia": model.inertia_,
        "iterations": model.n_iter_,
        "centers": model.cluster_centers_.tolist(),
    })

lab = np.genfromtxt(sys.argv[1], delimiter=",", names=True)
lab = np.column_stack([lab["x"], lab["y"]])
default = KMeans(3, n_init=50, tol=0, random_state=0).fit(lab)

print(json.dumps({
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "points": points.tolist(),
    "runs": runs,
    "lab_default_inertia": default.inertia_,
}))
