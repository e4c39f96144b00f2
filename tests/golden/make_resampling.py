"""Writes resampling.json: a small picture resized by Pillow, whole and in part.

Run: python make_resampling.py   (needs numpy and Pillow)
"""

import json
import pathlib

import numpy as np
import PIL
from PIL import Image

picture = np.random.default_rng(7).integers(0, 256, (9, 14), dtype=np.uint8)


def case(rows, columns):
    # Columns first, then rows: Pillow 13 turns that round where only the height shrinks.
    resized = Image.fromarray(picture)
    for size in [(columns, resized.height), (columns, rows)]:
        resized = resized.resize(size, Image.Resampling.BILINEAR)
    return {"rows": rows, "columns": columns, "pixels": np.asarray(resized).ravel().tolist()}


golden = {
    "versions": {"numpy": np.__version__, "Pillow": PIL.__version__},
    "rows": 9,
    "columns": 14,
    "pixels": picture.ravel().tolist(),
    "cases": [case(9, 14), case(4, 5), case(1, 1), case(20, 31), case(3, 40), case(9, 6)],
}
path = pathlib.Path(__file__).with_name("resampling.json")
path.write_text(json.dumps(golden) + "\n")
