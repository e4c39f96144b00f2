"""Writes metrics.json: scores and least-squares fits by scikit-learn, NumPy and SciPy.

Run: python make_metrics.py   (needs numpy, scipy and scikit-learn)
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy.special import log_softmax
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
    top_k_accuracy_score,
)

warnings.filterwarnings("ignore")
random = np.random.default_rng(20240607)


def scores(entry):
    return {
        "precision": entry["precision"],
        "recall": entry["recall"],
        "f1": entry["f1-score"],
        "support": int(entry["support"]),
    }


def classes_case(name, targets, predicted, classes):
    report = classification_report(
        targets, predicted, labels=range(classes), output_dict=True, zero_division=0
    )
    # The mean over the classes that occur, which is what one gets without `labels`.
    of_those_there_are = classification_report(
        targets, predicted, output_dict=True, zero_division=0
    )
    return {
        "name": name,
        "classes": classes,
        "targets": [int(x) for x in targets],
        "predicted": [int(x) for x in predicted],
        "confusion": confusion_matrix(targets, predicted, labels=range(classes)).tolist(),
        "accuracy": accuracy_score(targets, predicted),
        "per_class": [scores(report[str(label)]) for label in range(classes)],
        "macro": scores(of_those_there_are["macro avg"]),
        "weighted": scores(report["weighted avg"]),
    }


def logits_case(name, targets, logits):
    classes = logits.shape[1]
    chosen = log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(targets)), targets]
    return {
        "name": name,
        "classes": classes,
        "targets": [int(x) for x in targets],
        "logits": [float(x) for x in logits.ravel()],
        "cross_entropy": float(-chosen.mean()),
        "predicted": [int(x) for x in logits.argmax(axis=1)],
        "top_k": [
            top_k_accuracy_score(targets, logits, k=k, labels=range(classes))
            if k < classes
            else 1.0
            for k in range(1, classes + 1)
        ],
    }


def roc_auc_case(name, targets, scores):
    scores = np.asarray(scores, dtype=np.float32)
    return {
        "name": name,
        "targets": [int(x) for x in targets],
        "scores": [float(x) for x in scores],
        "roc_auc": float(roc_auc_score(targets, scores)),
    }


def regression_case(name, targets, predicted):
    return {
        "name": name,
        "targets": [float(x) for x in targets],
        "predicted": [float(x) for x in predicted],
        "mse": mean_squared_error(targets, predicted),
        "rmse": root_mean_squared_error(targets, predicted),
        "mae": mean_absolute_error(targets, predicted),
        "r2": r2_score(targets, predicted),
    }


def least_squares_case(name, features, targets):
    features, targets = features.astype(np.float32), targets.astype(np.float32)
    wide = features.astype(np.float64)
    # NumPy's cutoff; scikit-learn's own default, 1e-6, drops well-determined directions.
    cutoff = max(wide.shape) * np.finfo(np.float64).eps
    model = LinearRegression(tol=cutoff).fit(wide, targets.astype(np.float64))
    return {
        "name": name,
        "columns": features.shape[1],
        "features": [float(x) for x in features.ravel()],
        "targets": [float(x) for x in targets],
        "coefficients": model.coef_.tolist(),
        "intercept": float(model.intercept_),
        "rank": int(model.rank_),
        "predictions": model.predict(wide).tolist(),
    }


four = random.integers(0, 4, 60)
guess = np.where(random.random(60) < 0.6, four, random.integers(0, 4, 60))
logits = random.normal(0, 3, (25, 5)).astype(np.float32)
line = random.normal(0, 1, (30, 3))
noise = random.normal(0, 0.1, 30)
targets = line @ [1.5, -2.0, 0.25] + 4.0 + noise
ranking = np.random.default_rng(99)
two = ranking.integers(0, 2, 80)

golden = {
    "versions": {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "classification": [
        classes_case("four classes", four, guess, 4),
        classes_case("a class never predicted", [0, 0, 1, 2, 2, 2], [0, 2, 2, 2, 2, 0], 3),
        classes_case("a class neither true nor predicted", [0, 1, 1], [1, 1, 1], 3),
        classes_case("all wrong", [0, 1], [1, 0], 2),
    ],
    "logits": [
        logits_case("moderate", random.integers(0, 5, 25), logits),
        logits_case(
            "large",
            np.array([0, 1, 2]),
            np.array([[1000, -1000, 0], [900, 1000, 3], [80, 90, -2e4]], dtype=np.float32),
        ),
    ],
    "roc_auc": [
        roc_auc_case("noisy", two, two + ranking.normal(0, 1, 80)),
        roc_auc_case("many equal scores", two, np.round(two + ranking.normal(0, 1, 80))),
        roc_auc_case("perfect", [0, 1, 0, 1], [-2.0, 3.0, 0.0, 1.0]),
        roc_auc_case("all wrong", [0, 1], [1.0, 0.0]),
        roc_auc_case("all equal", [0, 1, 1], [0.5, 0.5, 0.5]),
        roc_auc_case("both zeros and infinities", [0, 1, 1, 0], [0.0, -0.0, 1e30, -1e30]),
    ],
    "regression": [
        regression_case("noisy", targets, targets + random.normal(0, 0.5, 30)),
        regression_case("worse than the mean", [1.0, 2.0, 3.0], [3.0, 1.0, -4.0]),
        regression_case("constant targets, perfect", [2.0, 2.0, 2.0], [2.0, 2.0, 2.0]),
        regression_case("constant targets, wrong", [2.0, 2.0, 2.0], [2.0, 2.5, 1.0]),
    ],
    "least_squares": [
        least_squares_case("full rank", line, targets),
        least_squares_case(
            "a column twice", np.column_stack([line, line[:, 0]]), targets
        ),
        least_squares_case("a constant column", np.column_stack([line, np.full(30, 7.0)]), targets),
        least_squares_case("more columns than rows", line[:2], targets[:2]),
        least_squares_case(
            "scales of one and a million", line * [1.0, 1e6, 1e-3], targets
        ),
        least_squares_case("one row", line[:1], targets[:1]),
    ],
}
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
