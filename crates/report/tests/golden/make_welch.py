"""Makes welch.json: intervals for the difference of two means, by SciPy's Welch t test."""

import json

import scipy
from scipy.stats import ttest_ind

SAMPLES = [
    ([0.9756, 0.9756, 0.9763], [0.9753, 0.9741, 0.9743]),
    ([0.6804, 0.6825, 0.6802], [0.6794, 0.6709, 0.6792]),
    ([1.0, 2.0], [4.0, 4.5]),
    ([1.0, 2.0], [1.0, 1.0000001, 1.0000002]),
    ([0.950, 0.940, 0.931, 0.933, 0.929], [0.954, 0.940, 0.933, 0.934, 0.934]),
    ([-3.0, 5.0, 8.0, 1.0], [100.0, 200.0, 50.0, 75.0, 80.0, 90.0]),
]

cases = []
for a, b in SAMPLES:
    for level in [0.9, 0.95, 0.995]:
        test = ttest_ind(a, b, equal_var=False)
        interval = test.confidence_interval(level)
        cases.append(
            {
                "a": a,
                "b": b,
                "level": level,
                "freedom": float(test.df),
                "interval": [float(interval.low), float(interval.high)],
            }
        )
with open("welch.json", "w") as file:
    json.dump({"scipy": scipy.__version__, "cases": cases}, file, indent=1)
    file.write("\n")
