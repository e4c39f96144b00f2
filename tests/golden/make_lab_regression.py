"""Makes lab_regression.json: least squares, noise floors (NumPy) and trainings (PyTorch) on one small problem."""

import json
from pathlib import Path

import numpy
import torch

COUNT, BATCH, EPOCHS = 40, 8, 3

index = numpy.arange(COUNT)[:, None]
features = numpy.sin(numpy.array([[0.9, 1.7, 2.6, 3.3, 4.9]]) * (index + 1)).astype(numpy.float32)
noise = 0.1 * numpy.sin(7.3 * (index[:, 0] + 1))
targets = (features.astype(float) @ [2, 3, -1, 0.5, 0] + 0.3 + noise).astype(numpy.float32)

rows = numpy.hstack([features.astype(float), numpy.ones((COUNT, 1))])
y = targets.astype(float)
optimum = numpy.linalg.lstsq(rows, y, rcond=None)[0]
hessian = 2 * rows.T @ rows / COUNT


def stationary(rate, batch):
    """The excess loss at which the covariance of the parameters no longer changes, by iteration."""
    single = 2 * numpy.einsum("ni,nj->nij", rows, rows)
    gradients = 2 * (rows @ optimum - y)[:, None] * rows
    covariance = numpy.zeros((6, 6))
    shrink = numpy.eye(6) - rate * hessian
    for _ in range(200_000):
        spread = numpy.einsum("nij,jk,nkl->il", single, covariance, single) / COUNT
        spread = spread - hessian @ covariance @ hessian + gradients.T @ gradients / COUNT
        new = shrink @ covariance @ shrink + rate**2 / batch * spread
        if not numpy.isfinite(new).all() or numpy.trace(new) > 1e6:
            return None
        if numpy.abs(new - covariance).max() < 1e-16 * numpy.abs(new).max():
            break
        covariance = new
    return 0.5 * numpy.trace(hessian @ new)


def trained(name, kind, **settings):
    """The parameters after every epoch, batches in stored order, from zero."""
    model = torch.nn.Linear(5, 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    names = {"learning_rate": "lr", "epsilon": "eps"}
    optimizer = kind(model.parameters(), **{names.get(key, key): value for key, value in settings.items()})
    parameters = []
    for _ in range(EPOCHS):
        for start in range(0, COUNT, BATCH):
            optimizer.zero_grad()
            output = model(torch.from_numpy(features[start : start + BATCH]))
            target = torch.from_numpy(targets[start : start + BATCH, None])
            torch.nn.functional.mse_loss(output, target).backward()
            optimizer.step()
        parameters.append(model.weight.flatten().tolist() + model.bias.tolist())
    return {"optimizer": {"name": name, **settings}, "parameters": parameters}


at_zero = 2 * -y[:, None] * rows
json.dump(
    {
        "versions": {"numpy": numpy.__version__, "torch": torch.__version__},
        "features": [float(value) for value in features.flatten()],
        "targets": [float(value) for value in targets],
        "optimum": optimum.tolist(),
        "least_loss": float(numpy.mean((rows @ optimum - y) ** 2)),
        "curvatures": [float(numpy.linalg.eigvalsh(hessian)[end]) for end in (0, -1)],
        "noise_at_zero": float(numpy.trace(numpy.cov(at_zero.T, bias=True))),
        "stationary": [
            {"rate": rate, "batch_size": batch, "excess": stationary(rate, batch)}
            for rate, batch in [(0.05, 1), (0.05, 8), (0.2, 8), (0.5, 1)]
        ],
        "trainings": [
            trained("sgd", torch.optim.SGD, learning_rate=0.1, momentum=0.9),
            trained("adagrad", torch.optim.Adagrad, learning_rate=0.5),
            trained("rmsprop", torch.optim.RMSprop, learning_rate=0.05),
            trained("adam", torch.optim.Adam, learning_rate=0.1),
            trained("adamw", torch.optim.AdamW, learning_rate=0.1, weight_decay=0.1),
        ],
    },
    (Path(__file__).parent / "lab_regression.json").open("w"),
    indent=1,
)
