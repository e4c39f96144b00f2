"""PyTorch's training steps for compare.py: answers each request `TASK VARIANT` on stdin with the milliseconds of a step.

Variants: `default`, and `tuned`: images and convolutions in the memory format `channels_last`, Adam with `fused=True`
instead of `foreach=True`. A task that knows no such choice answers `none` to the second.
"""

import sys

import torch
import torchvision
from torch import nn

from cifar10_pytorch import cnn
from mnist_pytorch import mlp
from serving import serve


class Lstm(nn.Module):
    """The network of configs/imdb-adam.toml without dropout."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10_000, 128)
        self.lstm = nn.LSTM(128, 64, batch_first=True)
        self.output = nn.Linear(64, 1)

    def forward(self, words):
        _, (state, _) = self.lstm(self.embedding(words))
        return self.output(state[-1])


def mobilenet():
    return torchvision.models.mobilenet_v2(dropout=0.0)


def training(model, inputs, targets, loss_of, optimizer):
    def step():
        loss = loss_of(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def in_layout(variant, model, *shape):
    """The model and random inputs in the variant's memory format."""
    layout = torch.channels_last if variant == "tuned" else torch.contiguous_format
    return model.to(memory_format=layout), torch.rand(shape).to(memory_format=layout)


def images(model, shape, classes, optimizer_of, variant):
    model, inputs = in_layout(variant, model, *shape)
    targets = torch.randint(classes, (shape[0],))
    return training(model, inputs, targets, nn.functional.cross_entropy, optimizer_of(model.parameters()))


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)


def step_of(task, variant):
    if variant == "tuned" and task in ("lstm 32", "mlp 128"):
        return None
    if task in ("cnn 32", "cnn 128"):
        return images(cnn(), (int(task.split()[1]), 3, 32, 32), 10, adam, variant)
    if task == "mobilenet 32":
        return images(mobilenet(), (32, 3, 96, 96), 1000, sgd, variant)
    if task == "lstm 32":
        model = Lstm()
        loss = nn.functional.binary_cross_entropy_with_logits
        words = torch.randint(1, 10_000, (32, 200))
        return training(model, words, torch.ones(32, 1), loss, adam(model.parameters()))
    if task == "mlp 128":
        model = mlp()
        inputs, targets = torch.rand(128, 1, 28, 28), torch.randint(10, (128,))
        return training(model, inputs, targets, nn.functional.cross_entropy, adam(model.parameters()))
    if task == "mobilenet forward 8":
        model, inputs = in_layout(variant, mobilenet().eval(), 8, 3, 224, 224)
        return torch.inference_mode()(lambda: model(inputs))
    if task == "adam":
        parameters = list(Lstm().parameters())
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter) * 1e-3
        fused = variant == "tuned"
        return torch.optim.Adam(parameters, lr=1e-3, fused=fused, foreach=not fused).step
    return None


torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
serve(step_of)
