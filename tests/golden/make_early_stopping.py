"""When Keras' EarlyStopping stops, and which epoch it restores -> early_stopping.json

    pip install -r benches/peers/requirements.txt
    KERAS_BACKEND=torch python tests/golden/make_early_stopping.py

Made with Python 3.11.7, keras 3.15.1, torch 2.15.0. The callback runs against a stand-in model whose only weight is the
number of the epoch, so that restored weights name their epoch. Keras compares in float32.
"""

import math
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras  # noqa: E402

from formulas import write  # noqa: E402

NAN = math.nan
FALLING_THEN_RISING = [1.0, 0.8, 0.6, 0.5, 0.55, 0.6, 0.7, 0.8]

CASES = [  # name, settings, metric after each epoch
    ("patience 0", {}, [1.0, 0.9, 0.95, 0.8]),
    ("improving epochs never stop, even short of the baseline", {"baseline": 0.5}, [1.0, 0.9, 0.8, 0.9]),
    ("patience 1", {"patience": 1}, [1.0, 0.9, 0.95, 0.8]),
    ("patience 3", {"patience": 3}, FALLING_THEN_RISING),
    ("patience is not reached", {"patience": 5}, FALLING_THEN_RISING),
    ("an improvement restarts the wait", {"patience": 2}, [1.0, 1.1, 0.9, 1.0, 0.8, 0.9, 1.0, 0.7]),
    ("an equal value is no improvement", {"patience": 2}, [0.5, 0.5, 0.5, 0.5]),
    ("min_delta", {"patience": 2, "min_delta": 0.1}, [1.0, 0.95, 0.92, 0.85, 0.84, 0.83]),
    ("an improvement of exactly min_delta is none", {"patience": 2, "min_delta": 0.25}, [1.0, 0.75, 0.75, 0.5]),
    ("min_delta, slow progress adds up", {"patience": 3, "min_delta": 0.1}, [1.0, 0.94, 0.88, 0.82, 0.76, 0.7, 0.64]),
    (
        "min_delta, the best by min_delta is restored",
        {"patience": 2, "min_delta": 0.1, "restore_best": True},
        [1.0, 0.7, 0.65, 0.62, 0.9],
    ),
    ("start_from_epoch", {"patience": 2, "start_from_epoch": 4}, [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]),
    (
        "start_from_epoch forgets earlier values",
        {"patience": 2, "start_from_epoch": 3, "restore_best": True},
        [0.1, 0.2, 0.3, 1.0, 0.9, 1.0, 1.1, 1.2],
    ),
    ("baseline not beaten", {"patience": 3, "baseline": 0.5}, [1.0, 0.9, 0.8, 0.7, 0.75, 0.72, 0.4]),
    (
        "baseline not beaten, worse from the start",
        {"patience": 2, "baseline": 0.5, "restore_best": True},
        [1.0, 0.9, 1.1, 1.2, 0.4],
    ),
    ("baseline beaten in time", {"patience": 3, "baseline": 0.5}, [1.0, 0.6, 0.4, 0.45, 0.46, 0.47, 0.3]),
    ("mode max", {"mode": "max", "patience": 2}, [0.5, 0.6, 0.7, 0.65, 0.69, 0.8]),
    (
        "mode max, min_delta",
        {"mode": "max", "patience": 2, "min_delta": 0.05, "restore_best": True},
        [0.5, 0.6, 0.62, 0.64, 0.9],
    ),
    ("NaN in the middle", {"patience": 3, "restore_best": True}, [1.0, 0.8, NAN, 0.7, NAN, NAN, NAN, 0.6]),
    ("NaN counts as no improvement", {"patience": 2, "restore_best": True}, [1.0, 0.8, NAN, NAN, 0.5]),
    ("NaN in the first epoch is never beaten", {"patience": 2, "restore_best": True}, [NAN, 0.9, 0.8, 0.7, 0.6]),
    ("restore_best", {"patience": 3, "restore_best": True}, FALLING_THEN_RISING),
    ("restore_best without a stop", {"patience": 9, "restore_best": True}, FALLING_THEN_RISING),
    ("restore_best keeps the first of equals", {"patience": 2, "restore_best": True}, [0.9, 0.5, 0.5, 0.5]),
]


class EpochNumber:
    """Stands in for a model: its weights are the number of the epoch just trained."""

    stop_training = False
    weights = None

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        self.weights = weights[0]


def outcome(settings, metric):
    model = EpochNumber()
    callback = keras.callbacks.EarlyStopping(
        monitor="metric",
        mode=settings["mode"],
        patience=settings["patience"],
        min_delta=settings["min_delta"],
        start_from_epoch=settings["start_from_epoch"],
        baseline=settings["baseline"],
        restore_best_weights=settings["restore_best"],
    )
    callback.set_model(model)
    callback.on_train_begin()
    stopped = None
    for epoch, value in enumerate(metric):
        model.weights = epoch
        callback.on_epoch_end(epoch, {"metric": value})
        if model.stop_training:
            stopped = epoch
            break
    model.weights = None  # stays None unless weights are restored
    callback.on_train_end()

    def from_one(epoch):
        return None if epoch is None else epoch + 1

    return {
        "stopped_epoch": stopped,
        "stopped_epoch_from_1": from_one(stopped),
        "best_epoch": callback.best_epoch,
        "best_epoch_from_1": from_one(callback.best_epoch),
        "restored_epoch": model.weights,
        "restored_epoch_from_1": from_one(model.weights),
    }


DEFAULTS = {
    "mode": "min", "patience": 0, "min_delta": 0.0, "start_from_epoch": 0, "baseline": None, "restore_best": False,
}

write(
    "early_stopping.json",
    {
        "made_by": "make_early_stopping.py",
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "nan": "null in `metric` stands for NaN",
        "epochs": "count from 0 as in Keras, and from 1 where the key says so; null: never",
        "cases": [
            {
                "name": name,
                "settings": DEFAULTS | settings,
                "metric": [None if math.isnan(value) else value for value in metric],
                **outcome(DEFAULTS | settings, metric),
            }
            for name, settings, metric in CASES
        ],
    },
)
