"""One file of a run that has come half its way is damaged. It is refused by a message that names it, its
loss is announced, or it does no harm: the run ends as if nothing had happened."""

import hashlib
import re
import shutil
import signal

from harness import Failure
from runs import EXPERIMENTS, contents, differences, experiment, only_run, straight

COMMANDS = [
    ["evaluate", "RUN"], ["export", "RUN", "weights.safetensors"], ["runs", "--output", "runs"],
    ["diagnose", "RUN"], ["predict", "RUN", "1"],
]


def half_done(trial, name, interrupted=False):
    """The folder of a run that was killed after more than half of its epochs, or stopped within one of them."""

    def killed(folder):
        at = len(straight(trial, name).operations) * 2 // 3
        command = [*experiment(trial.tools, name), "--output", folder / "runs"]
        trial.start(*command, fault={"UNDER": folder, "AT": at, "DO": "kill"}).end(allowed=[signal.SIGKILL])
        return folder

    def stopped(folder):
        # It may come to the end of the epoch, or of the run, before it hears of the signal.
        for attempt in range(50):
            runs = folder / str(attempt)
            program = trial.start(*experiment(trial.tools, name), "--output", runs / "runs")
            program.wait_for(lambda: list(runs.glob("runs/*/checkpoints/epoch-*")))
            program.send(signal.SIGINT)
            program.end()
            if (only_run(runs) / "checkpoints" / "interrupted").is_dir():
                return runs
        print(f"{name} was never stopped within an epoch, and is killed instead", flush=True)
        return killed(folder)

    kind = "stopped" if interrupted else "killed"
    return trial.tools.once(f"{name}-{kind}", stopped if interrupted else killed)


def take_half_done(trial):
    """Gives a trial a half-done run of its own; returns its experiment and its directory."""
    name = EXPERIMENTS[trial.number % len(EXPERIMENTS)]
    # Epochs of the others are too short to be met.
    interrupted = name == "text" and trial.random.random() < 0.6
    shutil.copytree(half_done(trial, name, interrupted) / "runs", trial.folder / "runs")
    return name, only_run(trial.folder)


def files_of(run):
    whole = (path for path in run.rglob("*") if path.is_file() and "/." not in str(path.relative_to(run.parent)))
    return sorted(whole)


def damage(trial):
    name, run = take_half_done(trial)
    files = files_of(run)
    kind = trial.random.choice(["flip", "digit", "cut", "empty", "remove", "exchange", "insert", "double", "shape"])
    if kind == "shape":
        # Of the checkpoint that the run goes on from: the checksums of others are all that is looked at.
        newest = max(files, key=lambda path: path.stat().st_mtime_ns if path.name == "state.json" else 0).parent
        files = sorted(newest.glob("*.bpk"))
    path = trial.random.choice(files)
    names = [path.name]
    before = path.read_bytes()
    if kind == "remove":
        path.unlink()
    elif kind == "exchange":
        other = trial.random.choice([other for other in files if other != path])
        names.append(other.name)
        path.write_bytes(other.read_bytes())
        other.write_bytes(before)
    else:
        path.write_bytes(damaged(kind, before, trial.random))
    if kind == "shape":
        seal(path.parent)
    trial.notes.append(f"({kind}: {path.relative_to(run)})")
    return outcome(trial, name, run, names)


def damaged(kind, data, random):
    at = random.randrange(len(data) + 1)
    digits = [at for at, byte in enumerate(data) if chr(byte).isdigit()]
    if kind == "digit" and digits:
        at = random.choice(digits)
        return data[:at] + b"%d" % ((data[at] - 48 + random.randint(1, 9)) % 10) + data[at + 1:]
    if kind in ("flip", "digit"):
        at = random.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1:]
    if kind == "insert":
        return data[:at] + random.randbytes(random.randint(1, 8)) + data[at:]
    if kind == "shape":
        return other_shape(data, random)
    return {"cut": data[:random.randrange(len(data))], "empty": b"", "double": data * 2}[kind]


def other_shape(data, random):
    """A file of weights of which a matrix is called wider and less high than it is, if it has one."""
    number = rb"([\x00-\x17]|\x18.|\x19..)"
    matrices = list(re.finditer(rb"\x65shape\x82" + number + number, data, re.DOTALL))
    if not matrices:
        return data
    matrix = random.choice(matrices)
    return data[:matrix.start(1)] + matrix[2] + matrix[1] + data[matrix.end(2):]


def seal(checkpoint):
    """Writes the checksums of a checkpoint anew, as who changes one on purpose would."""
    state = checkpoint / "state.json"
    text = state.read_bytes()
    for file in checkpoint.glob("*.bpk"):
        key, digest = f'"{file.stem}_sha256": ', hashlib.sha256(file.read_bytes()).hexdigest()
        text = re.sub(f'{key}"[0-9a-f]*"'.encode(), f'{key}"{digest}"'.encode(), text)
    state.write_bytes(text)
    line = f"{hashlib.sha256(text).hexdigest()}  state.json\n"
    (checkpoint / "state.json.sha256").write_text(line)


def outcome(trial, name, run, names):
    # What others make of it: whatever they say, they end.
    command = trial.random.choice(COMMANDS)
    trial.run(*[str(run) if word == "RUN" else word for word in command])
    status, said = trial.run("train", "--resume", run, "--progress", "off")
    if status == 1 and "is complete" not in said:
        # What `run.json` records of the data is compared with the data, and nobody knows which of them changed.
        about_data = "run.json" in names and "since the run began" in said
        if not about_data and not any(name in said for name in [*names, str(run)]):
            raise Failure("silent", f"refused without a name: {said[-700:]}")
        return "refused"
    found = differences(straight(trial, name).contents, contents(run))
    if not found:
        return "harmless"
    if "warning:" in said:
        return "announced"
    raise Failure("silent", ", ".join(found))
