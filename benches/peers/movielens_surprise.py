"""Surprise's answer to `converge train movielens --cross-validate`: its SVD with its defaults, on the same folds.

    pip install -r requirements.txt
    python movielens_surprise.py --data DIR --seeds 1 2 3 --epochs 20

DIR holds ml-100k. Surprise moves after every rating, in the order of users, and uses one thread.
Made with Python 3.11.7, scikit-surprise 1.1.5, numpy 2.4.6.
"""

import argparse
import pathlib
import statistics
import time

import surprise
from surprise.model_selection import PredefinedKFold


def fit(options, seed, fold, train, test):
    model = surprise.SVD(n_epochs=options.epochs, random_state=seed)
    started = time.perf_counter()
    model.fit(train)
    seconds = (time.perf_counter() - started) / options.epochs
    error = surprise.accuracy.rmse(model.test(test), verbose=False)
    print(f"seed {seed} fold {fold} test RMSE {error:.4f} train_seconds {seconds:.3f} an epoch", flush=True)
    return error


def main():
    parser = argparse.ArgumentParser(description="MovieLens 100K with the SVD of Surprise")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder holding ml-100k")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    print(f"scikit-surprise {surprise.__version__}", flush=True)
    files = [[options.data / "ml-100k" / f"u{fold}.{part}" for part in ("base", "test")] for fold in range(1, 6)]
    data = surprise.Dataset.load_from_folds(files, surprise.Reader("ml-100k"))
    folds = list(PredefinedKFold().split(data))
    means = []
    for seed in options.seeds:
        errors = [fit(options, seed, fold, *parts) for fold, parts in enumerate(folds, 1)]
        means.append(statistics.mean(errors))
        print(f"seed {seed} mean test RMSE {means[-1]:.4f}", flush=True)
    deviation = statistics.stdev(means) if len(means) > 1 else 0.0
    print(f"mean test RMSE over {len(means)} seeds: {statistics.mean(means):.4f} (standard deviation {deviation:.4f})")


main()
