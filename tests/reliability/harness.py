"""Starts the program, runs trials side by side, counts how they end."""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ENDINGS = ["lost", "different", "silent", "panics", "hangs"]
MOST_SECONDS = 60
MOST_MEGABYTES = 2048


class Failure(Exception):
    """A trial that did not end as it should: how, one of `ENDINGS`, and what was seen."""

    def __init__(self, ending, seen):
        super().__init__(f"{ending}: {seen}")
        self.ending = ending


class Program:
    """The program under test, started by a trial in its folder."""

    count = 0

    def __init__(self, tools, folder, arguments, environment=(), fault=None):
        Program.count += 1
        self.said = folder / f"said-{Program.count}.txt"
        self.arguments = [str(argument) for argument in arguments]
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("CONVERGE_", "BURN_", "FAULT_"))}
        variables |= {
            "NO_COLOR": "1",
            "CONVERGE_CACHE": str(folder / "cache"),
            # Where nobody listens: nothing is fetched.
            "CONVERGE_MIRROR": "http://127.0.0.1:9",
        }
        variables |= dict(environment)
        if fault:
            variables |= {f"FAULT_{key}": str(value) for key, value in fault.items()}
            variables["LD_PRELOAD"] = str(tools.shim)
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                [tools.binary, *self.arguments], cwd=folder, env=variables, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=said,
            )
        self.began = time.monotonic()

    def poll(self):
        """Whether it has ended."""
        if self.process.returncode is None:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.megabytes = usage.ru_maxrss / 1024
        return self.process.returncode is not None

    def wait_for(self, condition, seconds=MOST_SECONDS):
        """Waits until it has ended, the condition holds, or the time is over; returns whether it has ended."""
        end = time.monotonic() + seconds
        while not self.poll():
            if condition() or time.monotonic() > end:
                return False
            time.sleep(0.001)
        return True

    def send(self, number):
        if not self.poll():
            os.kill(self.process.pid, number)

    def end(self, allowed=()):
        """Its exit status and what it said on standard error; only signals that are `allowed` may have ended it."""
        if not self.wait_for(lambda: False):
            self.send(signal.SIGKILL)
            self.wait_for(lambda: False)
            raise Failure("hangs", f"{self.command()} has not ended after {MOST_SECONDS} s")
        status, said = self.process.returncode, self.said.read_text(errors="replace")
        shown = f"{self.command()} ended with {status}: {said[-700:]}"
        if "panicked" in said or status < 0 and -status not in allowed:
            raise Failure("panics", shown)
        if self.megabytes > MOST_MEGABYTES:
            raise Failure("hangs", f"{self.command()} took {self.megabytes:.0f} MB")
        if status == 1 and "error" not in said:
            raise Failure("silent", shown)
        return status, said

    def command(self):
        return "`converge " + " ".join(self.arguments) + "`"


class Trial:
    """One trial of a part, with its folder and its own random numbers."""

    def __init__(self, tools, part, number):
        self.tools, self.number, self.name = tools, number, f"{part.name}-{number}"
        self.random = random.Random(f"{tools.seed} {self.name}")
        self.folder = tools.scratch / self.name
        self.notes = []

    def start(self, *arguments, **how):
        return Program(self.tools, self.folder, arguments, **how)

    def run(self, *arguments, **how):
        return self.start(*arguments, **how).end()


class Tools:
    """What all trials share."""

    def __init__(self, binary, shim, scratch, seed):
        self.binary, self.shim, self.scratch, self.seed = binary, shim, scratch, seed
        self.lock = threading.RLock()
        self.made = {}

    def once(self, name, make):
        """What `make` makes of the folder `name`, made by the first who asks."""
        with self.lock:
            if name not in self.made:
                folder = self.scratch / "shared" / name
                folder.mkdir(parents=True)
                self.made[name] = make(folder)
            return self.made[name]


class Part:
    """A kind of trials."""

    def __init__(self, name, trial):
        self.name, self.trial = name, trial
        self.trials, self.endings, self.notes = 0, dict.fromkeys(ENDINGS, 0), {}

    def attempt(self, tools, number):
        trial = Trial(tools, self, number)
        trial.folder.mkdir()
        failure = None
        try:
            note = self.trial(trial)
        except Failure as error:
            failure, note = error, error.ending
        with tools.lock:
            self.trials += 1
            self.notes[note] = self.notes.get(note, 0) + 1
            if failure:
                self.endings[failure.ending] += 1
                print(f"{trial.name} {' '.join(trial.notes)}: {failure}", flush=True)
        if not failure:
            shutil.rmtree(trial.folder)

    def run(self, tools, count):
        """Makes `count` trials, or the one of a number."""
        began = time.monotonic()
        numbers = [int(count[1:])] if str(count).startswith("#") else range(count)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            # Whatever is no `Failure` is a mistake of ours, and ends all.
            list(pool.map(lambda number: self.attempt(tools, number), numbers))
        notes = ", ".join(f"{count} {note}" for note, count in sorted(self.notes.items(), key=lambda n: -n[1]))
        print(f"{self.name}: {notes} ({time.monotonic() - began:.0f} s)", flush=True)


def table(parts):
    rows = [["part", "trials", *ENDINGS]]
    rows += [[part.name, part.trials, *part.endings.values()] for part in parts]
    for row in rows:
        print("".join(f"{cell:<10}" if at == 0 else f"{cell:>10}" for at, cell in enumerate(row)))
    return sum(sum(part.endings.values()) for part in parts)


def read_json(path):
    return json.loads(Path(path).read_text())


def bitmap(width, height, level):
    """An uncompressed image file whose grey levels `level` gives."""
    rows = b""
    for y in range(height):
        row = bytes(value for x in range(width) for value in [level(x, y) % 256] * 3)
        rows += row + bytes(-len(row) % 4)
    head = b"BM" + (54 + len(rows)).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    sizes = [(40, 4), (width, 4), (height, 4), (1, 2), (24, 2), (0, 4), (len(rows), 4)] + [(0, 4)] * 4
    return head + b"".join(value.to_bytes(size, "little") for value, size in sizes) + rows


def images(folder):
    """A folder of small images of two classes."""
    for kind, dark in (("dark", 30), ("light", 200)):
        for split, count in (("train", 8), ("val", 3)):
            (folder / split / kind).mkdir(parents=True)
            for number in range(count):
                file = folder / split / kind / f"{number}.bmp"
                file.write_bytes(bitmap(24, 24, lambda x, y: dark + (x + 3 * y + number) % 40))
    return folder
