"""Converge, PyTorch and Keras on the same steps and trainings, in turn, on this machine; run.sh calls it.

    python compare.py --converge target/release/converge --steps target/release/deps/steps-… --data DIR --output TABLE.md

Every round asks each peer in turn for the median time of a step; the table has medians over the rounds. Trainings from the
command line run one after the other: the time of an epoch is the median time between the lines that two epochs end with,
validation and all, and memory is the process's peak resident set.
"""

import argparse
import datetime
import importlib.metadata
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent

#: Task, how it is called in the table, and the most that ours may take of PyTorch's better time.
TASKS = [
    ("cnn 32", "CNN step, batch 32", 0.30),
    ("cnn 128", "CNN step, batch 128", 0.30),
    ("lstm 32", "LSTM step, 200 tokens, batch 32", 0.40),
    ("mlp 128", "MLP step, batch 128", 0.50),
    ("mobilenet forward 8", "MobileNetV2 1.0 forward, 224x224, batch 8", 0.70),
    ("mobilenet 32", "MobileNetV2 1.0 step, 96x96, batch 32", 0.70),
    ("adam", "Adam, 1.3 million parameters", 1.00),
]
#: Those that PyTorch computes in one way only.
ONE_WAY = ["lstm 32", "mlp 128"]
#: Experiment, PyTorch's script with its arguments, where its batches come from (the plain way first), and the most of the
#: plain way's time that ours may take, if there is such a number. Where an epoch takes minutes, fetching batches by index
#: saves nothing that would show.
TRAININGS = [
    ("cifar10", ["cifar10_pytorch.py"], ["images", "tensors", "index"], 0.30),
    ("imdb", ["imdb_pytorch.py", "--variant", "imdb"], ["tensors"], 0.45),
    ("imdb-adam", ["imdb_pytorch.py", "--variant", "imdb-adam"], ["tensors"], 0.45),
    ("mnist", ["mnist_pytorch.py"], ["images", "tensors", "index"], 0.20),
    ("sentiment-small", ["imdb_pytorch.py", "--variant", "sentiment-small"], ["tensors", "index"], None),
    ("movielens", ["movielens_pytorch.py", "--folds", "1"], ["tensors", "index"], None),
    ("transfer", ["transfer_pytorch.py"], ["tensors", "index"], None),
    ("housing-batchnorm", ["housing_pytorch.py"], ["tensors", "index"], None),
]
BATCHES = ["images", "tensors", "index"]
MEMORY_LIMIT = 0.5
#: Lets glibc keep freed memory, as Converge asks it to. By default PyTorch on a CPU gives the memory of large tensors
#: back to the system in every step, and pays for its pages anew.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**31 - 1), "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1), "MALLOC_TOP_PAD_": str(64 << 20),
}


class Peer:
    """A process that answers requests for step times."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )

    def milliseconds(self, task, variant):
        self.process.stdin.write(f"{task} {variant}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise SystemExit(f"a peer died over `{task} {variant}`; see its message above")
        # Threads that still wait for work must not run into the next peer's time.
        time.sleep(0.2)
        return None if answer == "none" else float(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare_steps(options):
    serve = [options.steps, "--serve"]
    pytorch = [sys.executable, HERE / "steps_pytorch.py", str(options.threads)]
    keras = [sys.executable, HERE / "steps_keras.py", str(options.threads)]
    lines = []
    for task, title, limit in TASKS:
        if options.tasks is not None and task not in options.tasks:
            continue
        # A process each, new for every task: memory left from other tasks makes some of them faster.
        ours, burn, torch = Peer(serve), Peer(serve), Peer(pytorch)
        keeping = Peer(pytorch, **KEEP_MEMORY)
        columns = [
            ("Converge", ours, "converge"), ("PyTorch", torch, "default"), ("PyTorch, tuned", torch, "tuned"),
            ("tuned, keeping memory", keeping, "default" if task in ONE_WAY else "tuned"),
            ("Keras", Peer(keras) if options.keras else None, "default"),
            ("Burn flex", burn, "flex"), ("Burn ndarray", burn, "ndarray"),
        ]
        if not lines:
            names = " | ".join(name for name, _, _ in columns)
            lines = [f"| | {names} | ours / best PyTorch | asked for | ours / PyTorch keeping memory |", "|---" * 11 + "|"]
        times = {name: [] for name, _, _ in columns}
        for _ in range(options.rounds):
            for name, peer, variant in columns:
                found = peer.milliseconds(task, variant) if peer else None
                if found is not None:
                    times[name].append(found)
        medians = {name: statistics.median(found) if found else None for name, found in times.items()}
        if task == "adam":
            medians["Burn flex"] = statistics.median(burn.milliseconds("adam of burn", "flex") for _ in range(options.rounds))
        peers = [medians[name] for name in ("PyTorch", "PyTorch, tuned") if medians[name] is not None]
        cells = ["-" if value is None else f"{value:.2f}" for value in medians.values()]
        ratio, harder = medians["Converge"] / min(peers), medians["Converge"] / medians["tuned, keeping memory"]
        lines.append(f"| {title}, ms | {' | '.join(cells)} | {ratio:.2f} | {limit:.2f} | {harder:.2f} |")
        print(lines[-1], file=sys.stderr, flush=True)
        for peer in {peer for _, peer, _ in columns if peer}:
            peer.close()
    return lines


def watched(command):
    """Seconds between the lines that epochs end with, and the peak memory in MB, of a command."""
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    ends, tail = [], []
    for line in process.stdout:
        tail = [*tail[-20:], line]
        if line.startswith(("seed", "epoch")) and "epoch" in line and "loss" in line and "test" not in line:
            ends.append(time.perf_counter())
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed:\n{''.join(tail)}")
    return [later - earlier for earlier, later in zip(ends, ends[1:])], usage.ru_maxrss / 1e3


def compare_trainings(options):
    lines = [
        "| `converge train` | Converge, s an epoch | PyTorch: DataLoader of images | of tensors | by index | ours / PyTorch "
        "| asked for | Converge, MB | PyTorch, MB | ours / PyTorch | asked for |", "|---" * 11 + "|",
    ]
    for name, script, ways, limit in TRAININGS:
        if options.trainings and name not in options.trainings:
            continue
        with tempfile.TemporaryDirectory() as folder:
            epochs = ["--epochs", str(options.epochs)]
            ours = [options.converge, "train", name, "--data", "real", "--data-dir", options.data, "--output", folder, *epochs]
            peer = [sys.executable, HERE / script[0], *script[1:], "--data", options.data, "--seeds", "1", *epochs]
            peer += ["--threads", str(options.threads)]
            our_times, our_memory = watched(ours)
            peers = {way: watched([*peer, "--batches", way]) for way in ways}
        our_time = statistics.median(our_times)
        their_times = {way: statistics.median(times) for way, (times, _) in peers.items()}
        cells = [f"{their_times[way]:.2f}" if way in their_times else "-" for way in BATCHES]
        ratios = ", ".join(f"{our_time / time:.2f}" for time in sorted(their_times.values(), reverse=True))
        memory = peers[ways[0]][1]
        asked = "-" if limit is None else f"{limit:.2f}"
        lines.append(
            f"| `{name}` | {our_time:.2f} | {' | '.join(cells)} | {ratios} | {asked} "
            f"| {our_memory:.0f} | {memory:.0f} | {our_memory / memory:.2f} | {MEMORY_LIMIT:.2f} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def machine():
    """The processor's name and how many of it there are."""
    found = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{found[0] if found else platform.processor()}, {os.cpu_count()} processors"


def versions(keras):
    # Without importing them: a child's peak memory counts from that of the process it was forked from.
    names = ["torch", *(["keras", "tensorflow-cpu"] if keras else [])]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def main():
    parser = argparse.ArgumentParser(description="Converge beside its peers")
    parser.add_argument("--converge", required=True, help="the program `converge`")
    parser.add_argument("--steps", required=True, help="the benchmark `steps`")
    parser.add_argument("--data", help="folder holding the data sets; trainings are left out without it")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="the file to write the tables to")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tasks", nargs="*", help="only these of the steps")
    parser.add_argument("--trainings", nargs="+", help="only these of the trainings")
    parser.add_argument("--no-keras", dest="keras", action="store_false")
    options = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(options.threads)
    lines = [
        f"{machine()}; {options.threads} threads; {versions(options.keras)}; {datetime.date.today()}. Medians of "
        f"{options.rounds} rounds in turn.", "", *compare_steps(options),
    ]
    if options.data:
        lines += ["", *compare_trainings(options)]
    options.output.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


main()
