"""scikit-learn's answer to `converge train housing`: ordinary least squares on its eight derived features.

    pip install -r requirements.txt
    python housing_sklearn.py --data DIR

DIR holds california-housing/cal_housing.data, the file `fetch_california_housing` downloads. Converge draws another
80/20 split, so ten split seeds show the range to expect. The target is in units of 100,000 dollars.
Made with Python 3.11.7, scikit-learn 1.9.1, numpy 2.4.6.
"""

import argparse
import pathlib

import numpy
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def read(path):
    """Features and target exactly as sklearn.datasets.fetch_california_housing derives them."""
    columns = numpy.loadtxt(path, delimiter=",").T
    longitude, latitude, age, rooms, bedrooms, population, households, income, value = columns
    features = [income, age, rooms / households, bedrooms / households, population, population / households]
    return numpy.stack([*features, latitude, longitude], axis=1), value / 100_000


def scores(features, target, seed):
    x_train, x_test, y_train, y_test = train_test_split(features, target, test_size=0.2, random_state=seed)
    predicted = make_pipeline(StandardScaler(), LinearRegression()).fit(x_train, y_train).predict(x_test)
    mse = mean_squared_error(y_test, predicted)
    return mse, mse**0.5, mean_absolute_error(y_test, predicted), r2_score(y_test, predicted)


def main():
    parser = argparse.ArgumentParser(description="California housing with linear regression")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder holding california-housing")
    features, target = read(parser.parse_args().data / "california-housing" / "cal_housing.data")
    names = ["MSE", "RMSE", "MAE", "R2"]

    def line(label, values):
        print(f"{label:16}", *(f"{name} {value:.4f}" for name, value in zip(names, values)))

    line("random_state 42", scores(features, target, 42))
    table = numpy.array([scores(features, target, seed) for seed in range(10)])
    line("seeds 0-9 lowest", table.min(axis=0))
    line("seeds 0-9 mean", table.mean(axis=0))
    line("seeds 0-9 highest", table.max(axis=0))


if __name__ == "__main__":
    main()
