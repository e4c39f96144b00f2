"""Hessians of the loss of networks by PyTorch's double backward -> hessian.json

    pip install torch scipy
    python tests/golden/make_hessian.py

Made with Python 3.11.7, torch 2.15.0, scipy 1.17.1, in float64. The weights are one flat vector, in the order and layout
of the program: dense weights (inputs, outputs), the LSTM's gates i, f, g, o side by side. Weight i is
the scale of the case * MIXED with k = 1, input i is MIXED with k = 0.
"""

import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch.func import grad, jacrev, jvp
from torch.nn.functional import conv2d, cross_entropy, max_pool2d

from formulas import MIXED, mixed, write

CLASSES = 3


def take(weights, shapes):
    """The parts of the flat vector that have these shapes, one after the other."""
    parts, first = [], 0
    for shape in shapes:
        count = torch.Size(shape).numel()
        parts.append(weights[first : first + count].reshape(shape))
        first += count
    assert first == len(weights)
    return parts


def mlp(weights, inputs, activation):
    w1, b1, w2, b2 = take(weights, MLP if inputs.shape[1] == 6 else WIDE)
    return activation(inputs @ w1 + b1) @ w2 + b2


def cnn(weights, inputs):
    k1, b1, k2, b2, w1, c1, w2, c2 = take(weights, CNN)
    maps = max_pool2d(conv2d(inputs.reshape(-1, 2, 8, 8), k1, b1).relu(), 2)
    maps = conv2d(maps, k2, b2).relu()
    return (maps.flatten(1) @ w1 + c1).relu() @ w2 + c2


def lstm(weights, ids):
    table, w, u, b, out, c = take(weights, LSTM)
    words = table[ids]
    hidden = torch.zeros(len(ids), 3, dtype=weights.dtype)
    cell = torch.zeros_like(hidden)
    for step in range(ids.shape[1]):
        i, f, g, o = (words[:, step] @ w + hidden @ u + b).chunk(4, dim=1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
    return hidden @ out + c


MLP = [(6, 8), (8,), (8, CLASSES), (CLASSES,)]
WIDE = [(784, 128), (128,), (128, CLASSES), (CLASSES,)]
CNN = [(3, 2, 3, 3), (3,), (4, 3, 3, 3), (4,), (4, 5), (5,), (5, CLASSES), (CLASSES,)]
LSTM = [(12, 4), (4, 12), (3, 12), (12,), (3, CLASSES), (CLASSES,)]


def case(name, network, shapes, samples, inputs, scale=0.6):
    count = sum(torch.Size(shape).numel() for shape in shapes)
    weights = torch.tensor([scale * mixed(i, 1) for i in range(count)], dtype=torch.float64)
    weights = weights.float().double()
    labels = [i * i % CLASSES for i in range(samples)]

    def loss(weights):
        return cross_entropy(network(weights, inputs), torch.tensor(labels))

    smallest, largest, trace = (spectrum if count < 1000 else spectrum_by_products)(loss, weights, network, inputs)
    return {
        "name": name,
        "weights": count,
        "scale": scale,
        "samples": samples,
        "labels": labels,
        "loss": loss(weights).item(),
        "gradient_norm": grad(loss)(weights).norm().item(),
        "smallest": smallest,
        "largest": largest,
        "trace": trace,
    }


def spectrum(loss, weights, *_):
    hessian = torch.autograd.functional.hessian(loss, weights)
    eigenvalues = torch.linalg.eigvalsh(hessian)
    return eigenvalues[0].item(), eigenvalues[-1].item(), hessian.trace().item()


def spectrum_by_products(loss, weights, network, inputs):
    """Of a Hessian that is too large to be held."""

    def product(vector):
        return jvp(grad(loss), (weights,), (vector,))[1]

    count = len(weights)
    operator = LinearOperator(
        (count, count), lambda vector: product(torch.from_numpy(vector).reshape(-1)).numpy(), dtype=float
    )
    smallest, largest = (
        eigsh(operator, k=1, which=which, return_eigenvectors=False, tol=1e-8)[0] for which in ("SA", "LA")
    )
    # Rectified layers are linear in each single weight, so that the outputs add nothing to the diagonal
    # and the trace is that of the Gauss-Newton matrix.
    jacobian = jacrev(network)(weights, inputs)
    softmax = network(weights, inputs).softmax(1)
    curvature = torch.diag_embed(softmax) - softmax[:, :, None] * softmax[:, None, :]
    trace = torch.einsum("bij,biw,bjw->", curvature, jacobian, jacobian).item() / len(inputs)
    return smallest, largest, trace


def floats(samples, width):
    values = [mixed(i, 0) for i in range(samples * width)]
    return torch.tensor(values, dtype=torch.float64).float().double().reshape(samples, width)


ids = torch.tensor([[1 + (7 * sample + 5 * step + sample * step) % 11 for step in range(6)] for sample in range(10)])
write(
    "hessian.json",
    {
        "formula": f"{MIXED}, rounded to float32",
        "ids": ids.tolist(),
        "cases": [
            case("mlp_tanh", lambda w, x: mlp(w, x, torch.tanh), MLP, 20, floats(20, 6)),
            case("mlp_relu", lambda w, x: mlp(w, x, torch.relu), MLP, 20, floats(20, 6)),
            case("mlp_wide", lambda w, x: mlp(w, x, torch.relu), WIDE, 100, floats(100, 784), scale=0.06),
            case("cnn", cnn, CNN, 12, floats(12, 128)),
            case("lstm", lstm, LSTM, 10, ids),
        ],
    },
)
