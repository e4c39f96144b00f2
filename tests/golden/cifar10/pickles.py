"""Writes the pickles that `crates/data/src/cifar10` is tested with: two made-up pictures each.

Usage: python3 pickles.py, once with NumPy 1 and once with NumPy 2.

Pixel `column` of picture `row` is (7 row + 13 column + column // 1024) mod 256; the labels are 3
and 8. `python2-*` imitates what Python 2 writes, whose strings are bytes: the published
cifar-10-batches-py has protocol 2 of it.
"""

import pickle
import sys

import numpy

columns = numpy.arange(3072)
data = numpy.stack([7 * row + 13 * columns + columns // 1024 for row in range(2)])
data = (data % 256).astype(numpy.uint8)
major = numpy.__version__.split(".")[0]


class Python2(pickle._Pickler):
    """Writes strings and bytes with the instructions that Python 2 has for its strings."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        value = value.encode() if isinstance(value, str) else value
        if self.proto == 0:
            escaped = repr(value)[1:].encode()
            self.write(pickle.STRING + escaped + b"\n")
        elif len(value) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(value)]) + value)
        else:
            self.write(pickle.BINSTRING + len(value).to_bytes(4, "little") + value)
        self.memoize(value)

    def save_global_of_python2(self, value, name=None):
        module = value.__module__.replace("numpy._core", "numpy.core")
        self.write(pickle.GLOBAL + f"{module}\n{value.__qualname__}\n".encode())
        self.memoize(value)

    dispatch[str] = save_string
    dispatch[bytes] = save_string
    dispatch[type] = save_global_of_python2
    dispatch[type(len)] = save_global_of_python2
    dispatch[type(lambda: 0)] = save_global_of_python2


def batch(text):
    return {
        text("batch_label"): text("training batch 1 of 5"),
        text("labels"): [3, 8],
        text("data"): data,
        text("filenames"): [text("leptodactylus_s_000004.png"), text("it's \\a \"truck\".png")],
    }


if major == "1":
    protocols = [4]
else:
    protocols = [0, 1, 2, 3, 4, 5]
    for protocol in (0, 2):
        with open(f"python2-protocol{protocol}.pickle", "wb") as file:
            Python2(file, protocol=protocol, fix_imports=True).dump(batch(str))
for protocol in protocols:
    with open(f"numpy{major}-protocol{protocol}.pickle", "wb") as file:
        # Keys are bytes where the published files were read with `encoding="bytes"`.
        text = str.encode if protocol == 3 else str
        pickle.dump(batch(text), file, protocol=protocol)
print(f"written with NumPy {numpy.__version__} and Python {sys.version.split()[0]}")
