"""Plays a training run: writes the files of one, second after second, as `converge train` does.

    trainer.py FOLDER NAME EPOCHS [resume]

Ctrl-C ends it after its step, and the run is interrupted. Takes no time to build and no time to train.
"""

import fcntl
import json
import math
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

STEPS = 60
PAUSE = float(os.environ.get("PAUSE", "0.01"))
HEADER = "epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,step_seconds,gradient_cosine\n"


def process():
    """What the lock says: see `TrainingProcess` in crates/record."""
    stat = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    host = Path("/proc/sys/kernel/hostname").read_text().strip()
    machine = f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return {"pid": os.getpid(), "host": host, "machine": machine, "started": int(stat[19])}


def replace(path, text):
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    partial.rename(path)


def record(name, **changes):
    data = {"title": "digits", "origin": "real", "description": "digits", "stand_in_reason": None, "files": [],
            "class_names": [], "feature_names": []}
    whole = {
        "format": 1, "name": name, "experiment": "digits", "status": "running", "stop": None, "error": None,
        "seed": 7, "versions": {"converge": "0.1.0", "burn": "0.22.1"}, "device": "flex", "data": data,
        "training_samples": STEPS * 32, "validation_samples": 100, "parameters": 1000,
        "started": datetime.now().astimezone().isoformat(timespec="seconds"), "finished": None, "resumed": [],
        "seconds": 0.0, "epochs_done": 0, "steps_done": 0, "best": None,
    }
    return whole | changes


def step_row(epoch, step):
    loss = 2.3 * math.exp(-step / 150) + 0.15 + 0.08 * math.sin(step * 12.9898)
    norms = f"{loss * 3:.6e},1.5e1,{1e-3 / (1 + step / 100):.6e}" if step % 10 == 1 else ",,"
    return f"{epoch},{step},{loss},0.001,{norms},0.010000,\n"


def epoch_row(epoch):
    loss = 2.3 * math.exp(-epoch * STEPS / 150) + 0.15
    return f"{epoch},{loss},{1 - loss / 3},{loss * 1.1},{1 - loss / 2.8},0.001\n"


def main(folder, name, epochs, resume):
    run = Path(folder) / name
    run.mkdir(exist_ok=True)
    lock = open(run / ".lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write(json.dumps(process()))
    lock.flush()
    stopped = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    (run / "experiment.toml").write_text(
        f"[training]\nepochs = {epochs}\nbatch_size = 32\n[checkpoints]\nmonitor = \"val_loss\"\n")
    known = json.loads((run / "run.json").read_text()) if resume else {}
    done = known.get("epochs_done", 0)
    now = record(name, **{key: known[key] for key in ("started", "seconds", "epochs_done", "best") if key in known})
    replace(run / "run.json", json.dumps(now))
    # A resumed run goes on from the end of its last whole epoch.
    before = [step_row((step - 1) // STEPS + 1, step) for step in range(1, done * STEPS + 1)]
    replace(run / "steps.csv", HEADER + "".join(before))
    rows = [epoch_row(epoch) for epoch in range(1, done + 1)]
    with open(run / "steps.csv", "a") as steps:
        for epoch in range(done + 1, epochs + 1):
            for step in range((epoch - 1) * STEPS + 1, epoch * STEPS + 1):
                steps.write(step_row(epoch, step))
                steps.flush()
                time.sleep(PAUSE)
                if stopped:
                    stop = {"reason": "interrupted", "message": f"interrupted in step {step}"}
                    replace(run / "run.json", json.dumps(now | {"status": "interrupted", "stop": stop}))
                    return
            rows.append(epoch_row(epoch))
            best = {"epoch": epoch, "monitor": "val_loss", "value": float(rows[-1].split(",")[3])}
            now |= {"epochs_done": epoch, "seconds": epoch * STEPS * PAUSE, "best": best}
            replace(run / "epochs.csv", "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n" + "".join(rows))
            replace(run / "run.json", json.dumps(now))
    stop = {"reason": "max_epochs", "message": f"all {epochs} epochs are trained"}
    replace(run / "run.json", json.dumps(now | {"status": "completed", "stop": stop}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:] == ["resume"])
