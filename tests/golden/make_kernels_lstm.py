"""What PyTorch's LSTM computes in float64, with all gradients -> kernels_lstm.json

    pip install -r benches/peers/requirements.txt
    python tests/golden/make_kernels_lstm.py

Made with Python 3.11.7, torch 2.15.0. `nn.LSTM` computes all but the dropout masks, which it does not have: there,
a loop over its definition with autograd. Sequences of several lengths are packed. A bidirectional LSTM is two of
ours. Tensor number k holds mixed(i, k) / 2; the loss is the sum of outputs and last states, each times such a tensor.
Weights and their gradients are transposed to [inputs, 4 hidden]; outputs past the end of a sequence are left out (0).
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from formulas import mixed, write

torch.set_default_dtype(torch.float64)
TENSORS = [
    "input", "input_weights", "recurrent_weights", "bias", "initial_hidden", "initial_cell",
    "output_gradients", "hidden_gradients", "cell_gradients",
]  # fmt: skip
CASES = [  # name, batch, time, inputs, hidden, settings
    ("plain", 3, 5, 4, 3, {}),
    ("one of everything", 1, 1, 1, 1, {}),
    ("initial state", 2, 4, 5, 7, {"initial": True}),
    ("reverse", 3, 5, 4, 3, {"initial": True, "reverse": True}),
    ("several lengths", 4, 6, 3, 5, {"initial": True, "lengths": [6, 4, 3, 1]}),
    ("several lengths, reverse", 4, 6, 3, 5, {"initial": True, "lengths": [6, 4, 3, 1], "reverse": True}),
    ("dropout masks", 5, 6, 4, 17, {"initial": True, "dropout": True}),
    ("dropout masks, reverse", 5, 6, 4, 17, {"dropout": True, "reverse": True}),
    ("many steps", 9, 40, 2, 2, {}),
]


def tensor(number, shape):
    count = torch.Size(shape).numel()
    return torch.tensor([mixed(i, number) / 2 for i in range(count)]).reshape(shape)


def dropout_mask(number, shape):
    """Zeros and 1.25 by formula."""
    return torch.where(tensor(number, shape) < -0.2, 0.0, 1.25)


def one_direction(case):
    """A unidirectional LSTM by definition; the reverse one computes the last step first."""
    _, batch, time, inputs, hidden, settings = case
    shapes = [
        (batch, time, inputs), (inputs, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,), (batch, hidden),
        (batch, hidden), (batch, time, hidden), (batch, hidden), (batch, hidden),
    ]  # fmt: skip
    tensors = {name: tensor(number, shape) for number, (name, shape) in enumerate(zip(TENSORS, shapes))}
    if not settings.get("initial"):
        tensors["initial_hidden"] = torch.zeros(batch, hidden)
        tensors["initial_cell"] = torch.zeros(batch, hidden)
    leaves = {name: tensors[name].requires_grad_() for name in TENSORS[:6]}
    lengths = settings.get("lengths", [time] * batch)
    active = torch.arange(time)[None, :] < torch.tensor(lengths)[:, None]
    if settings.get("dropout"):
        outputs, last_hidden, last_cell = masked_loop(leaves, settings)
    else:
        outputs, last_hidden, last_cell = library(leaves, lengths, settings)
    loss = (outputs * tensors["output_gradients"] * active[:, :, None]).sum()
    loss = loss + (last_hidden * tensors["hidden_gradients"]).sum() + (last_cell * tensors["cell_gradients"]).sum()
    gradients = torch.autograd.grad(loss, leaves.values())
    return {
        "outputs": outputs * active[:, :, None],
        "last_hidden": last_hidden,
        "last_cell": last_cell,
        **{f"{name}_gradient": gradient for name, gradient in zip(leaves, gradients)},
    }


def library(leaves, lengths, settings):
    """`nn.LSTM` on packed sequences; the direction not asked for is computed and dropped."""
    inputs, hidden = leaves["input_weights"].shape[0], leaves["recurrent_weights"].shape[0]
    reverse = bool(settings.get("reverse"))
    lstm = nn.LSTM(inputs, hidden, batch_first=True, bidirectional=reverse)
    suffix = "_l0_reverse" if reverse else "_l0"
    parameters = {name: value.detach() for name, value in lstm.named_parameters()}
    parameters["weight_ih" + suffix] = leaves["input_weights"].T
    parameters["weight_hh" + suffix] = leaves["recurrent_weights"].T
    parameters["bias_ih" + suffix] = leaves["bias"]
    parameters["bias_hh" + suffix] = torch.zeros(4 * hidden)
    initial = [
        torch.stack([torch.zeros_like(leaf), leaf] if reverse else [leaf])
        for leaf in (leaves["initial_hidden"], leaves["initial_cell"])
    ]
    packed = pack_padded_sequence(leaves["input"], lengths, batch_first=True)
    outputs, (last_hidden, last_cell) = torch.func.functional_call(lstm, parameters, (packed, tuple(initial)))
    outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=leaves["input"].shape[1])
    return outputs[:, :, -hidden:], last_hidden[-1], last_cell[-1]


def masked_loop(leaves, settings):
    batch, time, inputs = leaves["input"].shape
    hidden, cell = leaves["initial_hidden"], leaves["initial_cell"]
    input_mask = dropout_mask(20, (batch, inputs))
    recurrent_mask = dropout_mask(21, tuple(hidden.shape))
    outputs = [None] * time
    for step in reversed(range(time)) if settings.get("reverse") else range(time):
        gates = (leaves["input"][:, step] * input_mask) @ leaves["input_weights"]
        gates = gates + (hidden * recurrent_mask) @ leaves["recurrent_weights"] + leaves["bias"]
        i, f, g, o = gates.chunk(4, dim=1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        outputs[step] = hidden
    return torch.stack(outputs, dim=1), hidden, cell


def recorded(case):
    name, batch, time, inputs, hidden, settings = case
    results = {key: [float(f"{x:.10g}") for x in value.flatten().tolist()] for key, value in one_direction(case).items()}
    shape = {"batch": batch, "time": time, "inputs": inputs, "hidden": hidden}
    return {"name": name, **shape, "settings": settings, "results": results}


write("kernels_lstm.json", {"torch": torch.__version__, "cases": [recorded(case) for case in CASES]})
