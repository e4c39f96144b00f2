"""Batch normalisation in training and evaluation mode, by torch.nn.BatchNorm1d and BatchNorm2d.

    python make_batch_norm.py > batch_norm.json
"""

import json

import torch

torch.manual_seed(0)


def flat(tensor):
    return [float(value) for value in tensor.detach().flatten()]


def case(layer, shape):
    training = []
    for step in range(2):
        x = torch.randn(shape) * (1.0 + step) + 0.5
        x.requires_grad_()
        weights = torch.randn(shape)
        layer.zero_grad()
        y = layer(x)
        (y * weights).sum().backward()
        training.append({
            "input": flat(x), "output_gradient": flat(weights), "output": flat(y),
            "input_gradient": flat(x.grad), "gamma_gradient": flat(layer.weight.grad),
            "beta_gradient": flat(layer.bias.grad), "running_mean": flat(layer.running_mean),
            "running_variance": flat(layer.running_var),
        })
    layer.eval()
    x = torch.randn(shape)
    evaluation = {"input": flat(x), "output": flat(layer(x)), "running_variance": flat(layer.running_var)}
    return {"shape": shape, "training": training, "evaluation": evaluation}


print(json.dumps({
    "versions": {"torch": torch.__version__},
    "dense": case(torch.nn.BatchNorm1d(3), [5, 3]),
    "pictures": case(torch.nn.BatchNorm2d(2), [2, 2, 3, 3]),
}))
