"""PyTorch's answer to `converge train movielens --cross-validate`: same folds, factorisation and recipe.

    pip install -r requirements.txt
    python movielens_pytorch.py --data DIR --seeds 1 --folds 1 2 3 4 5 --epochs 20 --threads 2

DIR holds ml-100k. Gradients of the tables are sparse, which was the faster way: torch.optim.SGD then moves the rows of
the batch alone. Ratings are clipped to 1..5 for the RMSE. Made with Python 3.11.7, torch 2.15.0, numpy 2.4.6.
"""

import argparse
import pathlib
import statistics
import time

import numpy
import torch
from torch import nn

import supervised

USERS, ITEMS, FACTORS, PENALTY = 943, 1682, 100, 0.02


class Factorization(nn.Module):
    """SVD of Surprise: the mean, a bias and factors of the user and of the item."""

    def __init__(self, mean, known_users, known_items, sparse):
        super().__init__()
        self.mean = mean
        self.users, self.items = (nn.Embedding(count, FACTORS, sparse=sparse) for count in (USERS, ITEMS))
        self.user_biases, self.item_biases = (nn.Embedding(count, 1, sparse=sparse) for count in (USERS, ITEMS))
        for factors, biases, known in [
            (self.users, self.user_biases, known_users), (self.items, self.item_biases, known_items)
        ]:
            nn.init.zeros_(biases.weight)
            nn.init.normal_(factors.weight, 0, 0.1)
            # Those without a rating to train on stay at 0.
            factors.weight.data[torch.bincount(known, minlength=factors.num_embeddings) == 0] = 0

    def forward(self, users, items):
        """Ratings, and the sum of squares of all that takes part in them."""
        p, q, b, c = self.users(users), self.items(items), self.user_biases(users), self.item_biases(items)
        ratings = self.mean + b.squeeze(1) + c.squeeze(1) + (p * q).sum(1)
        return ratings, sum(part.square().sum() for part in (p, q, b, c))


def read(path):
    """Users and items, numbered from 0, and ratings."""
    users, items, ratings, _ = torch.from_numpy(numpy.loadtxt(path, dtype=numpy.int64)).T
    return users - 1, items - 1, ratings.float()


@torch.no_grad()
def rmse(model, users, items, ratings):
    predicted, _ = model(users, items)
    return nn.functional.mse_loss(predicted.clamp(1, 5), ratings).item() ** 0.5


def fit(options, seed, fold):
    train, test = (read(options.data / "ml-100k" / f"u{fold}.{part}") for part in ("base", "test"))
    torch.manual_seed(seed)
    model = Factorization(train[2].mean().item(), train[0], train[1], options.sparse)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for epoch in range(1, options.epochs + 1):
        started = time.perf_counter()
        loss_sum = 0.0
        for users, items, ratings in supervised.batches(train, options):
            predicted, squares = model(users, items)
            loss = nn.functional.mse_loss(predicted, ratings)
            optimizer.zero_grad()
            (loss + PENALTY / len(ratings) * squares).backward()
            optimizer.step()
            loss_sum += loss.item() * len(ratings)
        print(f"seed {seed} fold {fold} epoch {epoch:2} loss {loss_sum / len(train[2]):.4f} "
              f"train_seconds {time.perf_counter() - started:.3f}", flush=True)
    error = rmse(model, *test)
    print(f"seed {seed} fold {fold} test RMSE {error:.4f}", flush=True)
    return error


def main():
    parser = argparse.ArgumentParser(description="MovieLens 100K with a matrix factorisation")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder holding ml-100k")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--folds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--sparse", action=argparse.BooleanOptionalAction, default=True)
    supervised.batching_arguments(parser, ["tensors", "index"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads", flush=True)
    means = [statistics.mean(fit(options, seed, fold) for fold in options.folds) for seed in options.seeds]
    print(f"mean test RMSE over folds {options.folds} and seeds {options.seeds}: {supervised.spread(means)}")


main()
