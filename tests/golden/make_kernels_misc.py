"""What PyTorch (and Keras where PyTorch has none) computes for the fused kernels -> kernels_misc.json

    pip install -r benches/peers/requirements.txt
    KERAS_BACKEND=torch python tests/golden/make_kernels_misc.py

Made with Python 3.11.7, torch 2.15.0, keras 3.15.1. Layers and losses in float64, from inputs rounded to float32 and
with nine digits; optimizers in float32. Element i of the argument number k is `scale * mixed(i, k)`.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

from formulas import MIXED, SMOOTH, START, mixed, numbers, smooth, start, tensor, write  # noqa: E402

ACTIVATIONS = {"identity": lambda x: x, "relu": F.relu, "relu6": F.relu6}
INPUT, WEIGHT, BIAS, GRADIENT = 1, 2, 3, 4  # the numbers k

LINEAR = [  # batch, inputs, outputs, activation
    (1, 1, 1, "identity"),
    (5, 7, 3, "relu"),
    (3, 17, 19, "relu6"),
    (9, 20, 10, "identity"),
]
POINTWISE = [  # batch, inputs, outputs, pixels, activation
    (1, 1, 1, 1, "relu6"),
    (2, 3, 5, 49, "relu6"),
    (3, 8, 2, 25, "identity"),
]
DEPTHWISE = [  # batch, channels, size, kernel, stride, padding (top, bottom, left, right), activation
    (1, 1, [1, 1], [1, 1], [1, 1], [0, 0, 0, 0], "identity"),
    (2, 3, [7, 7], [3, 3], [1, 1], [1, 1, 1, 1], "relu6"),
    (2, 2, [8, 10], [3, 3], [2, 2], [0, 1, 0, 1], "relu6"),
    (1, 2, [9, 6], [5, 3], [2, 3], [2, 1, 0, 2], "relu"),
    (1, 2, [5, 11], [2, 2], [3, 4], [0, 0, 1, 0], "identity"),
]
BATCH_NORM = [  # batch, channels, pixels, epsilon, activation
    (30, 1, 1, 1e-5, "identity"),
    (7, 3, 1, 1e-3, "relu6"),
    (3, 4, 9, 1e-5, "relu6"),
    (5, 2, 30, 1e-5, "identity"),
    (2, 3, 49, 1e-5, "relu"),
]
INVERTED_RESIDUAL = [  # batch, channels (inputs, wide, outputs; equal: not widened), size, stride, padding, residual,
    # and how it is widened, unless by a 1x1 convolution: side, stride, padding
    (2, [3, 18, 5], [7, 6], 1, [1, 1, 1, 1], False),
    (3, [8, 24, 8], [6, 5], 1, [1, 1, 1, 1], True),
    (2, [4, 20, 6], [8, 9], 2, [0, 1, 0, 1], False),
    (3, [17, 17, 4], [7, 7], 2, [1, 1, 1, 1], False),
    (2, [5, 5, 5], [5, 6], 1, [1, 1, 1, 1], True),
    (2, [26, 33, 4], [6, 5], 1, [1, 1, 1, 1], False),
    (2, [3, 20, 5], [11, 14], 1, [1, 1, 1, 1], False, (3, 2, [1, 1, 1, 1])),
    (2, [2, 7, 3], [12, 9], 2, [0, 1, 1, 1], False, (3, 2, [0, 1, 0, 1])),
]
CROSS_ENTROPY = [  # batch, classes, label smoothing, scale of the logits
    (4, 10, 0.0, 3.0),
    (3, 37, 0.1, 5.0),
    (5, 16, 0.0, 1000.0),
    (2, 1, 0.0, 1.0),
]
BINARY_CROSS_ENTROPY = [(7, 4.0), (20, 200.0)]  # elements, scale of the logits

ELEMENTS, STEPS, RECORDED_STEPS = 37, 50, [1, 10, 50]
OPTIMIZERS = [  # kind, options of torch.optim
    ("sgd", {"lr": 0.1}),
    ("sgd", {"lr": 0.1, "weight_decay": 0.01}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("adam", {"lr": 0.001}),
    ("adam", {"lr": 0.01, "betas": [0.4, 0.9], "amsgrad": True, "weight_decay": 0.01}),
    ("adamw", {"lr": 0.001}),
    ("adamw", {"lr": 0.01, "betas": [0.8, 0.99], "eps": 1e-5, "weight_decay": 0.1, "amsgrad": True}),
    ("rmsprop", {"lr": 0.01}),
    ("rmsprop", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01}),
    ("rmsprop", {"lr": 0.01, "centered": True}),
    ("rmsprop", {"lr": 0.01, "alpha": 0.9, "centered": True, "momentum": 0.5, "eps": 1e-3}),
]
KERAS_RMSPROP = [  # options of keras.optimizers.RMSprop
    {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-3},
    {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-2, "momentum": 0.9, "centered": True},
]
CLASSES = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}


def argument(shape, k, scale=1.0):
    return tensor(shape, lambda i: scale * mixed(i, k)).double().requires_grad_()


def short(values):
    return [float(f"{value:.9g}") for value in values.detach().flatten().tolist()]


def layer(case, input_shape, weight_shape, outputs, activation, function):
    """Values and gradients; the input is scaled so that the sums pass both bounds of the activation."""
    x, weight, bias = argument(input_shape, INPUT, 4.0), argument(weight_shape, WEIGHT), argument([outputs], BIAS)
    y = ACTIVATIONS[activation](function(x, weight, bias))
    y.backward(argument(y.shape, GRADIENT).detach())
    keys = ("output", "input_gradient", "weight_gradient", "bias_gradient")
    return case | {"activation": activation} | dict(zip(keys, map(short, (y, x.grad, weight.grad, bias.grad))))


def linear(batch, inputs, outputs, activation):
    case = {"batch": batch, "inputs": inputs, "outputs": outputs}
    return layer(case, [batch, inputs], [inputs, outputs], outputs, activation, lambda x, w, b: x @ w + b)


def pointwise(batch, inputs, outputs, pixels, activation):
    case = {"batch": batch, "inputs": inputs, "outputs": outputs, "pixels": pixels}
    return layer(
        case,
        [batch, inputs, pixels],
        [outputs, inputs],
        outputs,
        activation,
        lambda x, w, b: F.conv1d(x, w[:, :, None], b),
    )


def depthwise(batch, channels, size, kernel, stride, padding, activation):
    case = {"batch": batch, "channels": channels}
    case |= {"size": size, "kernel": kernel, "stride": stride, "padding": padding}
    top, bottom, left, right = padding

    def function(x, w, b):
        return F.conv2d(F.pad(x, (left, right, top, bottom)), w[:, None], b, stride, groups=channels)

    return layer(case, [batch, channels, *size], [channels, *kernel], channels, activation, function)


def batch_norm(batch, channels, pixels, epsilon, activation):
    """In training; scale and shift are large enough for both bounds of the activation."""
    x, scale = argument([batch, channels, pixels], INPUT, 4.0), argument([channels], WEIGHT, 8.0)
    shift = argument([channels], BIAS, 4.0)
    y = ACTIVATIONS[activation](F.batch_norm(x, None, None, scale, shift, training=True, eps=epsilon))
    y.backward(argument(y.shape, GRADIENT).detach())
    case = {"batch": batch, "channels": channels, "pixels": pixels, "epsilon": epsilon, "activation": activation}
    mean, variance = x.mean((0, 2)), x.var((0, 2), correction=0)
    keys = ("output", "mean", "variance", "input_gradient", "scale_gradient", "shift_gradient")
    return case | dict(zip(keys, map(short, (y, mean, variance, x.grad, scale.grad, shift.grad))))


def inverted_residual(batch, channels, size, stride, padding, residual, widening=(1, 1, (0, 0, 0, 0))):
    """In training, epsilon 1e-3; arguments 1 and 2 are x and dy, from 3 on kernel, scale and shift of every layer.
    The widening has a side, a stride and a padding."""
    inputs, wide, outputs = channels
    side, *widens = widening
    shapes = [(3, [wide, inputs, side, side]), (6, [wide, 1, 3, 3]), (9, [outputs, wide, 1, 1])][inputs == wide :]
    layers = [
        (argument(shape, k), argument(shape[:1], k + 1, 8.0), argument(shape[:1], k + 2, 4.0)) for k, shape in shapes
    ]
    y = x = argument([batch, inputs, *size], 1, 4.0)
    for (k, _), (kernel, scale, shift) in zip(shapes, layers):
        step, (top, bottom, left, right) = {3: widens, 6: (stride, padding)}.get(k, (1, (0, 0, 0, 0)))
        y = F.pad(y, (left, right, top, bottom))
        y = F.conv2d(y, kernel, stride=step, groups=wide if k == 6 else 1)
        y = F.batch_norm(y, None, None, scale, shift, training=True, eps=1e-3)
        if k != 9:
            assert min(y.abs().min(), (y - 6).abs().min()) > 2e-5, "rounding would decide which gradients pass"
            y = F.relu6(y)
    y = x + y if residual else y
    y.backward(argument(y.shape, 2).detach())
    case = {"batch": batch, "channels": channels, "size": size, "stride": stride, "padding": padding}
    case |= {"widening": widening, "residual": residual, "output": short(y), "input_gradient": short(x.grad)}
    return case | {"layers": [[short(parameter.grad) for parameter in layer] for layer in layers]}


def cross_entropy(batch, classes, smoothing, scale):
    logits = argument([batch, classes], INPUT, scale)
    targets = [5 * row % classes for row in range(batch)]
    loss = F.cross_entropy(logits, torch.tensor(targets), label_smoothing=smoothing)
    loss.backward()
    case = {"classes": classes, "label_smoothing": smoothing, "scale": scale, "targets": targets}
    return case | {"loss": loss.item(), "gradient": short(logits.grad)}


def binary_cross_entropy(elements, scale):
    logits = argument([elements], INPUT, scale)
    targets = tensor([elements], lambda i: [0.0, 1.0, 0.25][i % 3]).double()
    loss = F.binary_cross_entropy_with_logits(logits, targets)
    loss.backward()
    return {"scale": scale, "targets": numbers(targets), "loss": loss.item(), "gradient": short(logits.grad)}


def gradient(t):
    return tensor([ELEMENTS], lambda i: smooth(i, t))


def trajectory(kind, options):
    weights = torch.nn.Parameter(tensor([ELEMENTS], start))
    optimizer = CLASSES[kind]([weights], **options, foreach=False)
    after = {}
    for t in range(1, STEPS + 1):
        weights.grad = gradient(t)
        optimizer.step()
        if t in RECORDED_STEPS:
            after[str(t)] = numbers(weights)
    return {"kind": kind, "options": options, "after": after}


def keras_trajectory(options):
    weights = keras.Variable(tensor([ELEMENTS], start).numpy())
    optimizer = keras.optimizers.RMSprop(**options)
    after = {}
    for t in range(1, STEPS + 1):
        optimizer.apply([gradient(t)], [weights])
        if t in RECORDED_STEPS:
            after[str(t)] = numbers(weights.value)
    return {"kind": "keras_rmsprop", "options": options, "after": after}


write(
    "kernels_misc.json",
    {
        "versions": {"torch": torch.__version__, "keras": keras.__version__},
        "mixed": MIXED,
        "start": START,
        "smooth": SMOOTH,
        "linear": [linear(*case) for case in LINEAR],
        "pointwise": [pointwise(*case) for case in POINTWISE],
        "depthwise": [depthwise(*case) for case in DEPTHWISE],
        "batch_norm": [batch_norm(*case) for case in BATCH_NORM],
        "inverted_residual": [inverted_residual(*case) for case in INVERTED_RESIDUAL],
        "cross_entropy": [cross_entropy(*case) for case in CROSS_ENTROPY],
        "binary_cross_entropy": [binary_cross_entropy(*case) for case in BINARY_CROSS_ENTROPY],
        "optimizers": [trajectory(*case) for case in OPTIMIZERS] + [keras_trajectory(case) for case in KERAS_RMSPROP],
    },
)
