"""PyTorch's answer to `converge train mnist`: same files, split, network and recipe.

    pip install -r requirements.txt
    python mnist_pytorch.py --data DIR --seeds 1 2 3 --epochs 5 --batch-size 32 --threads 2

DIR holds mnist, with the four gzipped IDX files. The first 54,000 training images train, the last 6,000 validate.
Made with Python 3.11.7, torch 2.15.0, numpy 2.4.6.
"""

import gzip

import numpy
import torch
from torch import nn

import supervised


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))


def read(folder, name):
    """Images [count, 28, 28] and labels: IDX headers are 16 bytes for images and 8 for labels."""
    images = numpy.frombuffer(gzip.open(folder / f"{name}-images-idx3-ubyte.gz").read(), numpy.uint8, offset=16)
    labels = numpy.frombuffer(gzip.open(folder / f"{name}-labels-idx1-ubyte.gz").read(), numpy.uint8, offset=8)
    return torch.from_numpy(images.reshape(-1, 28, 28).copy()), torch.from_numpy(labels.copy()).long()


def main():
    options = supervised.arguments("MNIST with an MLP", epochs=5)
    folder = options.data / "mnist"
    images, labels = read(folder, "train")
    split = len(labels) * 9 // 10
    train, validation = (images[:split], labels[:split]), (images[split:], labels[split:])
    supervised.run(mlp, train, validation, read(folder, "t10k"), options)


if __name__ == "__main__":
    main()
