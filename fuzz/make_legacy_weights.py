"""Writes a seed of the target `weights`: a file as PyTorch wrote them before 1.6, pickles without an
archive around them, whose checksums keep a fuzzer out. Needs Python only.

    python3 fuzz/make_legacy_weights.py
"""

import collections
import io
import pathlib
import pickle
import struct
import sys
import types


class Storage:
    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers


class Tensor:
    def __init__(self, storage, shape, strides):
        self.arguments = (storage, 0, shape, strides, False, collections.OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


def stand_in(module, name, value):
    """Makes `module.name` something that the pickle can refer to."""
    sys.modules.setdefault(module, types.ModuleType(module))
    value.__module__, value.__qualname__, value.__name__ = module, name, name
    setattr(sys.modules[module], name, value)


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            kind = sys.modules["torch"].FloatStorage
            return "storage", kind, value.key, "cpu", len(value.numbers), None


stand_in("torch", "FloatStorage", type("FloatStorage", (), {}))
stand_in("torch._utils", "_rebuild_tensor_v2", lambda: None)

weight, bias = Storage("0", [1, 2, 3, 4, 5, 6]), Storage("1", [7, 8])
state = collections.OrderedDict(weight=Tensor(weight, (2, 3), (3, 1)), bias=Tensor(bias, (2,), (1,)))
system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
file = io.BytesIO()
for value in [0x1950A86A20F9469CFC6C, 1001, system, state, ["0", "1"]]:
    Pickler(file, protocol=2).dump(value)
for storage in [weight, bias]:
    file.write(struct.pack(f"<q{len(storage.numbers)}f", len(storage.numbers), *storage.numbers))
folder = pathlib.Path(__file__).parent / "corpus" / "weights"
(folder / "legacy.pth").write_bytes(b"0" + file.getvalue())
