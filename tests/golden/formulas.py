"""What the golden-file makers share: inputs by formula, and JSON with one short array per line."""

import json
import math
import pathlib

import torch

SMOOTH = "sin(0.7*i + 1.3*t) + 0.1*cos(3.1*i)"
START = "0.5*cos(1.1*i)"
MIXED = "(((31*i*i + 17*i + 101*k) mod 1009) - 504) / 504"


def smooth(i, t):
    return math.sin(0.7 * i + 1.3 * t) + 0.1 * math.cos(3.1 * i)


def start(i):
    return 0.5 * math.cos(1.1 * i)


def mixed(i, k):
    """Well mixed numbers in [-1, 1], from whole numbers only: the same bits in every language."""
    return ((31 * i * i + 17 * i + 101 * k) % 1009 - 504) / 504


def tensor(shape, value, dtype=torch.float32):
    """A tensor whose element with flat row-major index i is value(i), computed in float64, then rounded."""
    count = math.prod(shape)
    return torch.tensor([value(i) for i in range(count)], dtype=torch.float64).to(dtype).reshape(shape)


def numbers(values):
    """Flat row-major list; float32 values get the shortest decimals that read back as the same float32."""
    values = values.detach().flatten()
    if values.dtype == torch.float64:
        return values.tolist()
    return [float(str(value)) for value in values.numpy()]


def write(name, content):
    """JSON beside this file: containers are indented, arrays of plain values stay on one line."""

    def text(value, indent):
        inner = indent + "  "
        if isinstance(value, dict):
            body = [f"{inner}{json.dumps(key)}: {text(item, inner)}" for key, item in value.items()]
            flat = "{" + ", ".join(line.strip() for line in body) + "}"
        elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
            body, flat = [inner + text(item, inner) for item in value], None
        else:
            return json.dumps(value, allow_nan=False)
        if flat and len(inner + flat) <= 140 and "\n" not in flat:
            return flat
        left, right = "{}" if isinstance(value, dict) else "[]"
        return left + "\n" + ",\n".join(body) + "\n" + indent + right

    path = pathlib.Path(__file__).with_name(name)
    path.write_text(text(content, "") + "\n", encoding="utf-8")
