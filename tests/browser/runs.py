"""Trains the runs that the pages are tried with: runs.py FOLDER

`digits` is whole and evaluated, `diverged` and `killed` what their names say, and HOSTILE a copy of `digits` in which
names, classes and notes hold HTML. All data are drawn by code. CONVERGE names the program.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from chromium import HOSTILE

CONVERGE = os.environ["CONVERGE"]
DIGITS = ("mnist", "--data", "synthetic")


def converge(*arguments, status=0):
    done = subprocess.run([CONVERGE, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stderr}"
    return done.stdout


def start(*arguments, **more):
    """A training beside the test, which leaves some of the processor to the browser."""
    command = ["nice", CONVERGE, "train", *map(str, arguments), "--progress", "off"]
    return subprocess.Popen(command, text=True, stdout=subprocess.DEVNULL, **more)


def new_run(folder, known, seconds=30):
    """The run that is not among the `known`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        new = [path for path in Path(folder).iterdir() if path not in known and (path / "epochs.csv").exists()]
        if new:
            return new[0]
        time.sleep(0.05)
    raise AssertionError("no run began")


def train(folder, name, *arguments, status=0):
    known = set(folder.iterdir())
    converge("train", *arguments, "--output", folder, status=status)
    run = next(path for path in folder.iterdir() if path not in known)
    return rename(run, folder / name)


def rename(run, path):
    run.rename(path)
    replace(path / "run.json", lambda record: record.update(name=path.name))
    return path


def replace(file, change):
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def main(folder):
    folder.mkdir(exist_ok=True)
    digits = train(folder, "digits", *DIGITS, "--epochs", 6)
    converge("evaluate", digits)
    train(folder, "diverged", "linear", "--set", "optimizer.learning_rate=10", status=1)

    known = set(folder.iterdir())
    training = start(*DIGITS, "--epochs", 1000, "--output", folder, stderr=subprocess.DEVNULL)
    run = new_run(folder, known)
    training.send_signal(signal.SIGKILL)
    training.wait()
    rename(run, folder / "killed")

    hostile = folder / HOSTILE
    shutil.copytree(digits, hostile)
    rename(hostile, hostile)
    named = lambda data: data.update(class_names=[f"{HOSTILE} {name}" for name in data["class_names"]])
    replace(hostile / "run.json", lambda record: named(record["data"]))
    replace(hostile / "evaluation.json", named)
    converge("runs", "note", hostile, HOSTILE, "--tag", HOSTILE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
