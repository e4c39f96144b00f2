"""Runs of training: the experiments, what a run came to, and how two runs differ."""

import csv
import hashlib
import json
import struct
import time
import tomllib

from harness import HERE, Failure, images, read_json

EXPERIMENTS = sorted(path.stem for path in (HERE / "experiments").glob("*.toml"))


def experiment(tools, name):
    """The arguments that train an experiment."""
    arguments = ["train", HERE / "experiments" / f"{name}.toml", "--progress", "off"]
    if name == "transfer":
        arguments += ["--set", f"data.path={tools.once('images', images)}"]
    return arguments


def only_run(folder):
    """The run below a folder, once it is one."""
    runs = list((folder / "runs").glob("*/run.json"))
    return runs[0].parent if runs else None


class Straight:
    """The run of an experiment that nothing stops: what it came to, how long it takes, what it writes."""

    def __init__(self, trial, name, folder):
        log, began = folder / "operations", time.monotonic()
        program = trial.start(*experiment(trial.tools, name), "--output", folder / "runs",
                              fault={"UNDER": folder / "runs", "LOG": log})
        status, said = program.end()
        if status != 0:
            raise SystemExit(f"{name} cannot be trained: {said}")
        self.seconds = time.monotonic() - began
        self.operations = log.read_text().splitlines()
        self.contents = contents(only_run(folder))


def straight(trial, name):
    return trial.tools.once(name, lambda folder: Straight(trial, name, folder))


def check_resumes(trial, name):
    """Resumes the run of a trial to its end, and compares it with the straight one; returns what it said."""
    run = only_run(trial.folder)
    status, said = trial.run("train", "--resume", run, "--progress", "off")
    if status != 0 and "is complete" not in said:
        raise Failure("lost", said[-700:])
    compare(trial, name, run)
    return said


def compare(trial, name, run):
    found = differences(straight(trial, name).contents, contents(run))
    if found:
        raise Failure("different", ", ".join(found))


def differences(expected, found):
    """What is not the same in two runs. A process may be killed before it removes an older checkpoint
    of a run that is then complete: one too many is none of them."""
    keys = {key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)}
    surplus = {key for key in keys if key.startswith("checkpoints/epoch-") and key not in expected}
    return sorted(keys - surplus)[:9]


def contents(run):
    """All of a run that must be the same whenever it was stopped."""
    found = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.name.startswith(".") and path.name != ".lock":
            found[f"left over: {name}"] = True
        elif "tfevents" in name or name == "evaluation.json":
            # Events have a file for each session, and `tests/logs` knows how they add up; who evaluates a run in
            # between leaves the scores.
            continue
        elif path.is_file() and path.suffix != ".sha256" and path.name != ".lock":
            try:
                found |= {f"{name} {key}": value for key, value in read(path).items()}
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error):
                found[f"{name} cannot be read"] = True
    return found


def read(path):
    """What must be the same of a file, by name."""
    if path.suffix == ".bpk":
        return burnpack(path)
    if path.name == "state.json":
        # The numbers of parameters are drawn anew, and with them the checksums; so are the times of steps.
        state = {k: v for k, v in read_json(path).items() if k != "steps" and not k.endswith("_sha256")}
        return state | {"experiment": keys_that_count(state["experiment"])}
    if path.name == "experiment.toml":
        return keys_that_count(path.read_text())
    if path.name == "steps.csv":
        rows = list(csv.reader(path.open()))
        at = rows[0].index("step_seconds")
        return {"rows": [row[:at] + row[at + 1:] for row in rows]}
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.open()]
        times = ("wall_time", "step_seconds")
        # Rows of an earlier session have the digits of `steps.csv`.
        rounded = [{key: f"{float(value):.6e}" for key, value in line.items() if key not in times} for line in lines]
        return {"lines": rounded}
    if path.name == "run.json":
        keys = "status stop error seed best epochs_done steps_done parameters training_samples validation_samples"
        return {key: read_json(path).get(key) for key in keys.split()}
    return {"bytes": hashlib.sha256(path.read_bytes()).hexdigest()}


def keys_that_count(experiment):
    """What an experiment says, without what only names things or says where they are: a run may be told otherwise."""
    sections = tomllib.loads(experiment)
    free = [(sections, "name"), (sections, "purpose"), (sections["data"], "path"), (sections["data"], "source")]
    for section, key in [*free, (sections["training"], "validation_batch_size")]:
        section.pop(key, None)
    return sections


def burnpack(path):
    """The tensors and numbers in a file of weights, by the names of parameters instead of their numbers."""
    data = path.read_bytes()
    length = int.from_bytes(data[6:10], "little")
    head = Cbor(data[10:10 + length]).value()
    start = -(-(10 + length) // 256) * 256
    names = {str(tensor.get("param_id")): name for name, tensor in head["tensors"].items()}
    names |= {number: name for number, name in head.get("metadata", {}).items() if number.isdigit()}

    def named(key):
        number, dot, field = key.partition(".")
        return names.get(number, number) + dot + field

    found = {}
    for key, tensor in head["tensors"].items():
        begin, end = (start + offset for offset in tensor["data_offsets"])
        digest = hashlib.sha256(data[begin:end]).hexdigest()
        found[named(key)] = [tensor["dtype"], tensor["shape"], digest]
    return found | {named(key): value for key, value in head.get("scalars", {}).items()}


class Cbor:
    """Reads as much of RFC 8949 as Burn's files use."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def value(self):
        first = self.take(1)[0]
        kind, small = first >> 5, first & 31
        if kind == 7:
            if small in (20, 21, 22):
                return {20: False, 21: True, 22: None}[small]
            return struct.unpack({25: ">e", 26: ">f", 27: ">d"}[small], self.take({25: 2, 26: 4, 27: 8}[small]))[0]
        number = small if small < 24 else int.from_bytes(self.take(1 << (small - 24)), "big")
        match kind:
            case 0: return number
            case 1: return -1 - number
            case 2: return self.take(number)
            case 3: return self.take(number).decode()
            case 4: return [self.value() for _ in range(number)]
            case 5: return dict((self.value(), self.value()) for _ in range(number))
            case 6: return self.value()
