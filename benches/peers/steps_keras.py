"""Keras' training steps, on TensorFlow, for compare.py: answers each request `TASK VARIANT` with the milliseconds of a step."""

import os
import sys

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy  # noqa: E402
import tensorflow  # noqa: E402
from keras import layers  # noqa: E402

from serving import serve  # noqa: E402


def cnn():
    return keras.Sequential([
        layers.Input((32, 32, 3)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(10),
    ])


def training(model, inputs, targets, loss, optimizer):
    """What Keras users call: a compiled graph of forward, backward and update, fed from memory."""
    model.compile(optimizer=optimizer, loss=loss)
    return lambda: model.train_on_batch(inputs, targets)


def step_of(task, variant):
    if variant == "tuned":
        return None
    classes = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    random = numpy.random.default_rng(1)

    def uniform(*shape):
        return random.random(shape, dtype=numpy.float32)

    if task in ("cnn 32", "cnn 128"):
        batch = int(task.split()[1])
        return training(cnn(), uniform(batch, 32, 32, 3), random.integers(10, size=batch), classes, keras.optimizers.Adam())
    if task == "mlp 128":
        model = keras.Sequential([
            layers.Input((28, 28)), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)
        ])
        return training(model, uniform(128, 28, 28), random.integers(10, size=128), classes, keras.optimizers.Adam())
    if task == "lstm 32":
        model = keras.Sequential([
            layers.Input((200,)), layers.Embedding(10_000, 128), layers.LSTM(64), layers.Dense(1)
        ])
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        words = random.integers(1, 10_000, size=(32, 200))
        return training(model, words, numpy.ones((32, 1), numpy.float32), loss, keras.optimizers.Adam())
    if task == "mobilenet 32":
        model = keras.applications.MobileNetV2((96, 96, 3), weights=None, classes=1000, classifier_activation=None)
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
        return training(model, uniform(32, 96, 96, 3), random.integers(1000, size=32), classes, optimizer)
    if task == "mobilenet forward 8":
        model = keras.applications.MobileNetV2((224, 224, 3), weights=None)
        inputs = uniform(8, 224, 224, 3)
        return lambda: model.predict_on_batch(inputs)
    return None


tensorflow.config.threading.set_intra_op_parallelism_threads(THREADS)
tensorflow.config.threading.set_inter_op_parallelism_threads(THREADS)
serve(step_of)
