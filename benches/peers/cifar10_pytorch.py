"""PyTorch's answer to `converge train cifar10`: same files, split, network and recipe.

    pip install -r requirements.txt
    python cifar10_pytorch.py --data DIR --seeds 1 2 3 --epochs 10 --threads 2

DIR holds cifar-10-batches-bin. The network is that of TensorFlow's CNN tutorial, with Keras' initialisation (Glorot-uniform
weights, zero biases), as configs/cifar10.toml says. Made with Python 3.11.7, torch 2.15.0, numpy 2.4.6.
"""

import numpy
import torch
from torch import nn

import supervised


def cnn():
    network = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 10),
    )
    for parameter in network.parameters():
        nn.init.zeros_(parameter) if parameter.dim() == 1 else nn.init.xavier_uniform_(parameter)
    return network


def read(path):
    """Images [10000, 3, 32, 32] and labels of one file: records of 1 label byte and 3,072 pixel bytes."""
    records = torch.from_numpy(numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, 3073))
    return records[:, 1:].reshape(-1, 3, 32, 32).contiguous(), records[:, 0].long()


def main():
    options = supervised.arguments("CIFAR-10 with a small CNN", epochs=10)
    folder = options.data / "cifar-10-batches-bin"
    batches = [read(folder / f"data_batch_{number}.bin") for number in range(1, 6)]
    images, labels = (torch.cat(parts) for parts in zip(*batches))
    train, validation = (images[:40000], labels[:40000]), (images[40000:], labels[40000:])
    supervised.run(cnn, train, validation, read(folder / "test_batch.bin"), options)


if __name__ == "__main__":
    main()
