"""Inputs of every kind, a few bytes of them changed: whatever they are, the program ends soon, without much
memory, and says what it could not read."""

import base64
import gzip
import json
import pickle
import shutil
import struct
import zlib
from pathlib import Path

from damage import half_done, seal
from harness import HERE, Failure, bitmap, images
from mutations import NUMBERS, mutate_bytes, mutate_file, mutate_text
from runs import EXPERIMENTS, experiment, only_run, straight

ROOT = HERE.parent.parent
# The second stage of `transfer` begins after two epochs.
TRAIN = ["--epochs", "3", "--progress", "off", "--output", "runs"]
OWN_DATA = """
[data]
{data}
[model]
{model}
[training]
epochs = 1
batch_size = 16
[optimizer]
name = "sgd"
learning_rate = 0.01
"""


def put(trial, name, contents):
    """A file in the folder of a trial."""
    path = trial.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return path


def run_of(trial, name):
    straight(trial, name)
    return only_run(trial.tools.scratch / "shared" / name)


# The settings.

EXTRA = """[schedule]
name = "one_cycle"
|[schedule]
name = "cosine_restarts"
t_0 = 10
|[schedule]
name = "step"
step_size = 3
warmup = 5
|[ema]
decay = 0.9
|[swa]
start_step = 3
every = 2
|[sam]
rho = 0.05
|[clipping]
global_norm = 1.0
|[records]
norms_every = 3
|[checkpoints]
keep_last = 2
""".split("|")


def an_experiment(trial, folder):
    files = sorted(Path(folder).glob("*.toml"))
    text = trial.random.choice(files).read_text()
    text = text.replace('name = "images"', f'name = "images"\npath = "{trial.tools.once("images", images)}"')
    if trial.changes and trial.random.random() < 0.4:
        text += "\n" + trial.random.choice(EXTRA)
    file = put(trial, "experiment.toml", text)
    mutate_file(file, trial.changes, text=0.9)
    return file


def schedule(trial):
    # The data of some are not there to be counted.
    return ["schedule", an_experiment(trial, ROOT / "configs"), "--steps-per-epoch", 20]


def settings(trial):
    return ["train", an_experiment(trial, HERE / "experiments"), *TRAIN]


KEYS = (
    "training.epochs training.batch_size training.seed training.gradient_accumulation optimizer.learning_rate "
    "optimizer.momentum data.samples data.features data.informative data.noise data.validation_fraction "
    "checkpoints.keep_last records.norms_every early_stopping.patience schedule.warmup schedule.name optimizer.name "
    "model.hidden model.dropout model.name clipping.global_norm ema.decay swa.every sam.rho regularization.l2 groups"
).split()
WORDS = '"adam" "sgd" "muon" "soap" "lbfgs" "mlp" "cnn" "cosine" "one_cycle" [8] [0] 0.5 2 5 0.99'.split()


def options(trial):
    sets = []
    for _ in range(trial.random.randint(1, 3)):
        sets += ["--set", f"{trial.random.choice(KEYS)}={trial.random.choice(NUMBERS + 2 * WORDS)}"]
    if trial.random.random() < 0.5:
        return ["schedule", "linear", *sets]
    return ["train", HERE / "experiments" / "linear.toml", *sets, *TRAIN]


# Tables and texts.

def own_data(trial, text, data, model):
    table = put(trial, "data.csv", text)
    mutate_file(table, trial.changes)
    file = put(trial, "own.toml", OWN_DATA.format(data=f'{data}\npath = "{table}"', model=model))
    return ["train", file, "--progress", "off", "--output", "runs"]


def ratings(trial):
    rows = [f"u{at % 9},i{at % 13},{at % 5 + 1}\n" for at in range(200)]
    return own_data(trial, "user,item,rating\n" + "".join(rows), 'name = "ratings"',
                    'name = "matrix_factorization"\nfactors = 2')


def reviews(trial):
    kinds = [("dull, and long", "negative"), ("a joy", "positive")]
    rows = [f'"film {at} was {kinds[at % 2][0]}",{kinds[at % 2][1]}\n' for at in range(60)]
    return own_data(trial, "review,sentiment\n" + "".join(rows),
                    'name = "text"\nvocabulary_size = 50\nlength = 8', 'name = "lstm"\nembedding = 2\nhidden = 2')


def housing(trial):
    # As many rows as the published table has; the change is in its first lines.
    row = "-122.{0:02d},37.88,{1}.0,880.0,129.0,322.0,126.0,8.3252,{2}.0\n"
    rows = [row.format(at % 100, at % 52 + 1, 90000 + at) for at in range(20640)]
    start = mutate_text("".join(rows[:20]), trial.changes)
    put(trial, "data/cal_housing.data", start.encode("utf-8", "surrogateescape") + "".join(rows[20:]).encode())
    return ["data", "--data-dir", trial.folder / "data", "verify", "housing"]


def rows(trial):
    row = ",".join(f"{at / 7:.3f}" for at in range(20))
    file = put(trial, "rows.csv", "\n".join([row] * 3))
    mutate_file(file, trial.changes)
    text = mutate_text(row, trial.changes).replace("\0", "").encode("utf-8", "replace").decode()
    return ["predict", run_of(trial, "linear"), *trial.random.choice([[file], ["--", text], [file, "--", text]])]


def words(trial):
    text = mutate_text("I loved this film, 10 of 10, and would see it again", trial.changes).replace("\0", "")
    return ["predict", run_of(trial, "text"), "--", text]


# Images.

def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((x * 3 + y) % 256 for x in range(3 * width)) for y in range(height))
    head = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pictures():
    return {
        "a.png": png(24, 20),
        "a.bmp": bitmap(24, 20, lambda x, y: x + 9 * y),
        "a.jpg": (ROOT / "crates/data/tests/progressive.jpg").read_bytes(),
        "a.gif": base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
        "a.webp": base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"),
        "a.pgm": b"P5\n24 20\n255\n" + bytes(480),
    }


def picture(trial, path=None):
    name, data = trial.random.choice(sorted(pictures().items()))
    data = mutate_bytes(data, trial.changes, head=100 if trial.random.random() < 0.5 else None)
    return put(trial, f"{path}{Path(name).suffix}" if path else name, data)


def image(trial):
    return ["predict", run_of(trial, "transfer"), picture(trial)]


def folder(trial):
    shutil.copytree(trial.tools.once("images", images), trial.folder / "images")
    for number in range(3):
        split, kind = trial.random.choice(["train", "val"]), trial.random.choice(["dark", "light"])
        picture(trial, f"images/{split}/{kind}/new{number}")
    own = ["--set", f"data.path={trial.folder / 'images'}"]
    own += ["--set", f"data.on_corrupt={trial.random.choice(['fail', 'skip'])}"]
    return [*experiment(trial.tools, "transfer"), *own, "--output", "runs"]


def idx(trial):
    for split, count in (("train", 60), ("t10k", 20)):
        pixels = struct.pack(">4I", 0x803, count, 28, 28) + bytes(at % 251 for at in range(784 * count))
        labels = struct.pack(">2I", 0x801, count) + bytes(at % 10 for at in range(count))
        put(trial, f"mnist/{split}-images-idx3-ubyte", pixels)
        put(trial, f"mnist/{split}-labels-idx1-ubyte.gz", gzip.compress(labels))
    file = trial.random.choice(sorted((trial.folder / "mnist").iterdir()))
    file.write_bytes(mutate_bytes(file.read_bytes(), trial.changes, head=40))
    if trial.random.random() < 0.5:
        return ["data", "--data-dir", trial.folder, "verify", "mnist"]
    return ["train", "mnist", "--data", "real", "--data-dir", trial.folder, "--set", "model.hidden=[4]", *TRAIN]


def batches(trial):
    images = {"labels": [at % 10 for at in range(20)], "data": bytes(3072 * 20), "filenames": ["a.png"] * 20}
    pickled = trial.random.random() < 0.7
    for number in range(1, 7):
        name = f"data_batch_{number}" if number < 6 else "test_batch"
        if pickled:
            put(trial, f"cifar-10-batches-py/{name}", pickle.dumps(images, protocol=2))
        else:
            put(trial, f"cifar-10-batches-bin/{name}.bin", bytes([7]) * 3073 * 20)
    file = trial.random.choice(sorted(trial.folder.glob("cifar*/*")))
    file.write_bytes(mutate_bytes(file.read_bytes(), trial.changes, head=400))
    return ["data", "--data-dir", trial.folder, "verify", "cifar10"]


# Weights.

def with_weights(trial, file):
    return [*experiment(trial.tools, "transfer"), "--set", f"model.weights={file}", "--output", "runs"]


def safetensors(trial):
    def export(folder):
        trial.run("export", run_of(trial, "transfer"), folder / "weights.safetensors")
        return (folder / "weights.safetensors").read_bytes()

    data = trial.tools.once("safetensors", export)
    length = struct.unpack("<Q", data[:8])[0]
    if trial.random.random() < 0.5:
        head = mutate_text(data[8:8 + length].decode(), trial.changes).encode("utf-8", "surrogateescape")
        length = trial.random.choice([len(head)] * 4 + [len(head) + 1, 2**63, 0])
        data = struct.pack("<Q", length) + head + data[8 + struct.unpack("<Q", data[:8])[0]:]
    else:
        data = mutate_bytes(data, trial.changes, head=8 + length)
    return with_weights(trial, put(trial, "weights.safetensors", data))


def pth(trial):
    data = mutate_bytes((ROOT / "tests/golden/layer.pth").read_bytes(), trial.changes)
    return with_weights(trial, put(trial, "weights.pth", data))


# Runs, with checksums that fit.

def checkpoint(trial):
    name = trial.random.choice(EXPERIMENTS)
    shutil.copytree(half_done(trial, name) / "runs", trial.folder / "runs")
    run = only_run(trial.folder)
    file = trial.random.choice([*run.glob("checkpoints/epoch-*/*.bpk"), *run.glob("checkpoints/epoch-*/state.json")])
    if file.suffix == ".bpk":
        file.write_bytes(mutate_bytes(file.read_bytes(), trial.changes, head=2000))
    else:
        mutate_file(file, trial.changes, text=0.9)
    seal(file.parent)
    return trial.random.choice([["train", "--resume", run], ["evaluate", run], ["export", run, "w.safetensors"]])


def record(trial):
    name = trial.random.choice(EXPERIMENTS)
    shutil.copytree(half_done(trial, name) / "runs", trial.folder / "runs")
    run = only_run(trial.folder)
    files = [file for file in run.iterdir() if file.is_file() and file.stat().st_size]
    mutate_file(trial.random.choice(files), trial.changes)
    command = trial.random.choice(["resume", "evaluate", "diagnose", "runs"])
    return {"resume": ["train", "--resume", run], "runs": ["runs", "--output", run.parent]}.get(command, [command, run])


# Logs of other tools.

def logs():
    losses = [(at + 1, 2.3 / (at + 1), 2.4 / (at + 1) + 0.01 * at) for at in range(12)]
    history = {"loss": [loss for _, loss, _ in losses], "val_loss": [val for _, _, val in losses]}
    lines = lambda line: "".join(line.format(*row) for row in losses)
    entries = [{"epoch": at, "loss": loss, "step": 10 * at} for at, loss, _ in losses]
    return {
        "keras.csv": "epoch,loss,val_loss\n" + lines("{},{},{}\n"),
        "history.json": json.dumps(history),
        "trainer_state.json": json.dumps({"log_history": entries, "global_step": 120}),
        "lines.jsonl": "".join(json.dumps(entry) + "\n" for entry in entries),
        "fit.log": lines("Epoch {}/12\n9/9 [===] - 0s 2ms/step - loss: {:.4f} - val_loss: {:.4f}\n"),
        "nano.log": lines("step {}: train loss {:.4f}, val loss {:.4f}\n"),
        "boost.log": lines("[{}]\ttrain-rmse:{:.5f}\tvalid-rmse:{:.5f}\n"),
        "events.out.tfevents.1.host": b"".join(event(at, "loss/train", loss) for at, loss, _ in losses),
    }


def event(step, tag, value):
    """A record of TensorBoard, of which readers look at the checksum of the length."""
    content = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(content)]) + content
    message = b"\x09" + struct.pack("<d", 1.6e9) + bytes([0x10, step, 0x2a, len(summary)]) + summary
    length = struct.pack("<Q", len(message))
    crc = 0xFFFFFFFF
    for byte in length:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return length + struct.pack("<I", masked) + message + bytes(4)


def log(trial):
    name, data = trial.random.choice(sorted(logs().items()))
    file = put(trial, name, data)
    mutate_file(file, trial.changes, text=0 if isinstance(data, bytes) else 0.8)
    return ["diagnose", file]


KINDS = [
    schedule, settings, options, ratings, reviews, housing, rows, words, image, folder, idx, batches,
    safetensors, pth, checkpoint, record, log,
]


# What is read and then refused: values of the wrong type, too few images, weights of another network.
REFUSED = [options, batches, safetensors, pth]


def mutated(trial):
    kind = KINDS[trial.number % len(KINDS)]
    # The first of each kind are as they should be: if these are refused, nothing is tested.
    trial.changes = trial.random if trial.number >= len(KINDS) else None
    status, said = trial.run(*kind(trial))
    if not trial.changes and status != 0 and kind not in REFUSED:
        raise Failure("different", f"a {kind.__name__} that is as it should be is refused: {said[-700:]}")
    return "taken" if status == 0 else "refused"
