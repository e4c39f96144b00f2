"""Where Keras' EarlyStopping and Prechelt's criteria stop a made-up over-fitting run."""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np

STRIP = 5
t = np.arange(1, 201, dtype=float)
validation = 0.5 + np.exp(-t / 12) + 0.0015 * t + 0.02 * np.sin(1.7 * t) * np.exp(-t / 90)
training = 0.05 + np.exp(-t / 25) + 0.01 * np.cos(2.3 * t)


def patience(epochs, min_delta):
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", patience=epochs, min_delta=min_delta)
    model = keras.Sequential()
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(validation):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch + 1
    return None


def first(condition):
    return next((epoch for epoch in range(1, 201) if condition(epoch)), None)


gl = 100 * (validation / np.minimum.accumulate(validation) - 1)


def pq(epoch):
    strip = training[epoch - STRIP : epoch]
    return gl[epoch - 1] / (1000 * (strip.sum() / (STRIP * strip.min()) - 1))


def up(s, epoch):
    """Prechelt's recursive definition."""
    if epoch % STRIP or epoch - STRIP < 1 or s == 0:
        return s == 0
    return validation[epoch - 1] > validation[epoch - STRIP - 1] and up(s - 1, epoch - STRIP)


cases = []
for epochs, delta in [(5, 0.0), (20, 0.0), (50, 0.0), (20, 0.01), (3, 0.0)]:
    cases.append({"class": "patience", "threshold": epochs, "min_delta": delta, "epoch": patience(epochs, delta)})
for alpha in [1, 2, 3, 5]:
    cases.append({"class": "GL", "threshold": alpha, "epoch": first(lambda e: gl[e - 1] > alpha)})
for alpha in [0.02, 0.1, 0.5, 3]:
    cases.append({"class": "PQ", "threshold": alpha, "epoch": first(lambda e: e % STRIP == 0 and pq(e) > alpha)})
for s in [1, 2, 4, 8]:
    cases.append({"class": "UP", "threshold": s, "epoch": first(lambda e: e % STRIP == 0 and up(s, e))})
path = pathlib.Path(__file__).with_name("lab_early_stopping.json")
lines = ",\n    ".join(json.dumps(case) for case in cases)
path.write_text(
    f'{{\n  "keras": "{keras.__version__}",\n  "numpy": "{np.__version__}",\n  "cases": [\n    {lines}\n  ]\n}}\n'
)
