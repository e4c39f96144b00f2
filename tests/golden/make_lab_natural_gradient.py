"""Logistic regression by scikit-learn; natural gradients of a small network by PyTorch -> lab_natural_gradient.json

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_lab_natural_gradient.py

Made with Python 3.11.7, scikit-learn 1.9.1, torch 2.15.0. The network's Fisher matrix is the sum over inputs and
classes of p(class) times the outer product of the gradient of -ln p(class), each by a backward pass of its own, in
double precision; K-FAC's factors come from the gradients by the outputs of every layer.
"""

import numpy
import sklearn
import torch
from sklearn.linear_model import LogisticRegression

from formulas import mixed, start, write

ROWS, COLUMNS = 40, 3
WIDTHS, COUNT, DAMPING = [2, 4, 3, 3], 12, 0.01


def logistic():
    features = numpy.array([[mixed(i * (2 * k + 1), k) * 4**k for k in range(COLUMNS)] for i in range(ROWS)])
    # Every third label is turned round, so that no weights separate them.
    labels = numpy.array([float((x[0] - 0.2 * x[1] > 0.1) != (i % 3 == 0)) for i, x in enumerate(features)])
    model = LogisticRegression(C=numpy.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(features, labels)
    rows = numpy.concatenate([features, numpy.ones((ROWS, 1))], axis=1)
    weights = [*model.coef_[0].tolist(), float(model.intercept_[0])]
    return {"features": rows.flatten().tolist(), "labels": labels.tolist(), "weights": weights}


def network():
    torch.set_default_dtype(torch.float64)
    weights, biases, index = [], [], 0
    for inputs, outputs in zip(WIDTHS, WIDTHS[1:]):
        weights.append(torch.tensor([start(index + i) * 2 for i in range(inputs * outputs)]).reshape(inputs, outputs))
        biases.append(torch.tensor([start(index + 50 + i) for i in range(outputs)]))
        index += inputs * outputs
    parameters = [torch.cat([w, b[None]]).requires_grad_() for w, b in zip(weights, biases)]
    data = torch.tensor([[mixed(i, 3), mixed(i, 5)] for i in range(COUNT)])
    labels = torch.arange(COUNT) % WIDTHS[-1]

    def forward(x):
        layers = []
        for number, parameter in enumerate(parameters):
            a = torch.cat([x, torch.ones(len(x), 1)], dim=1)
            s = a @ parameter
            layers.append((a, s))
            x = torch.tanh(s) if number + 1 < len(parameters) else s
        return torch.log_softmax(x, dim=1), layers

    flat = lambda matrices: torch.cat([matrix.flatten() for matrix in matrices])
    gradient = torch.autograd.grad(-forward(data)[0][range(COUNT), labels].mean(), parameters)
    fisher = torch.zeros(len(flat(parameters)), len(flat(parameters)))
    factors = [[torch.zeros(len(p), len(p)), torch.zeros(p.shape[1], p.shape[1])] for p in parameters]
    for x in data:
        for label in range(WIDTHS[-1]):
            log, layers = forward(x[None])
            p = log[0, label].exp().item()
            wanted = [*parameters, *[s for _, s in layers]]
            grads = torch.autograd.grad(-log[0, label], wanted)
            score = flat(grads[: len(parameters)])
            fisher += p * torch.outer(score, score) / COUNT
            for (a, _), g, factor in zip(layers, grads[len(parameters) :], factors):
                factor[0] += p * torch.outer(a[0], a[0]).detach() / COUNT
                factor[1] += p * torch.outer(g[0], g[0]) / COUNT
    exact = torch.linalg.solve(fisher + DAMPING * torch.eye(len(fisher)), flat(gradient))
    sizes = [p.numel() for p in parameters]
    factored = []
    for g, (a, s) in zip(gradient, factors):
        pi = ((a.trace() / len(a)) / (s.trace() / len(s))).sqrt()
        left = torch.linalg.inv(a + pi * DAMPING**0.5 * torch.eye(len(a)))
        right = torch.linalg.inv(s + DAMPING**0.5 / pi * torch.eye(len(s)))
        factored.append(left @ g @ right)
    lists = lambda matrices: [matrix.detach().flatten().tolist() for matrix in matrices]
    return {
        "widths": WIDTHS,
        "damping": DAMPING,
        "weights": lists(weights),
        "biases": lists(biases),
        "inputs": data.flatten().tolist(),
        "labels": labels.tolist(),
        "gradient": lists(gradient),
        "exact": lists(exact.split(sizes)),
        "factored": lists(factored),
    }


versions = {"scikit-learn": sklearn.__version__, "torch": torch.__version__.split("+")[0]}
write("lab_natural_gradient.json", {**versions, "logistic": logistic(), "network": network()})
