"""Runs that are killed, asked to stop, or whose disk fails: each must go on to the end it would have had."""

import errno
import shutil
import signal

from harness import Failure
from runs import EXPERIMENTS, check_resumes, compare, experiment, only_run, straight


def go_on(trial, name, fault=None):
    """Starts the run of a trial, or takes it up again."""
    run = only_run(trial.folder)
    if run:
        arguments = ["train", "--resume", run, "--progress", "off"]
    else:
        # Killed before there was a run, it has left at most what is none.
        shutil.rmtree(trial.folder / "runs", ignore_errors=True)
        arguments = [*experiment(trial.tools, name), "--output", trial.folder / "runs"]
    return trial.start(*arguments, fault=fault and {"UNDER": trial.folder / "runs", **fault})


def operation(trial, name):
    """The number of one of the operations of an experiment: every trial of it takes another one."""
    count = len(straight(trial, name).operations)
    # The golden section spreads them evenly, however many trials there are.
    at = (trial.number // len(EXPERIMENTS) + 1) * 0.618033988749895 % 1
    trial.notes.append(f"({name}, operation {int(at * count) + 1} of {count})")
    return int(at * count) + 1


def kill(trial):
    """Killed at an operation on a file, then now and then a few times more, also at any moment."""
    name = EXPERIMENTS[trial.number % len(EXPERIMENTS)]
    seconds = straight(trial, name).seconds
    at, more, killed = operation(trial, name), trial.random.choice([0, 0, 0, 1, 2, 4]), 0
    for attempt in range(1 + more):
        how = trial.random.choice(["kill", "half", "kill", "half", "moment"])
        fault = {"AT": at if attempt == 0 else trial.random.randint(1, 80), "DO": how}
        program = go_on(trial, name, None if how == "moment" else fault)
        if how == "moment":
            program.wait_for(lambda: False, trial.random.uniform(0, seconds))
            program.send(signal.SIGKILL)
        status, said = program.end(allowed=[signal.SIGKILL])
        killed += status < 0
        if status > 0 and "is complete" not in said:
            raise Failure("lost", said[-700:])
    if not only_run(trial.folder):
        go_on(trial, name).end()
        compare(trial, name, only_run(trial.folder))
    else:
        check_resumes(trial, name)
    return f"killed {killed} times" if killed != 1 else "killed once"


SIGNALS = {"INT": 130, "INT INT": 130, "TERM": 143, "HUP": 129}


def stop(trial):
    """Asked to stop by signals, at any moment once the run is there."""
    name = EXPERIMENTS[trial.number % len(EXPERIMENTS)]
    sent = list(SIGNALS)[trial.number % len(SIGNALS)]
    seconds = straight(trial, name).seconds
    program = go_on(trial, name)
    program.wait_for(lambda: only_run(trial.folder))
    program.wait_for(lambda: False, trial.random.uniform(0, 0.6 * seconds))
    for number in sent.split():
        program.send(signal.Signals[f"SIG{number}"])
        program.wait_for(lambda: False, trial.random.uniform(0, 0.005))
    status, said = program.end(allowed=[SIGNALS[sent] - 128])
    # As a shell shows it, where the signal came before the program caught it.
    status = 128 - status if status < 0 else status
    # Complete before the signal came.
    if status not in (0, SIGNALS[sent]):
        raise Failure("different", f"after {sent} the status is {status}: {said[-700:]}")
    check_resumes(trial, name)
    return "complete before the signal" if status == 0 else sent


def fault(trial):
    """An operation on a file fails, once or from then on; or no file can be locked."""
    name = EXPERIMENTS[trial.number % len(EXPERIMENTS)]
    if trial.number % 25 == 24:
        return unlocked(trial, name)
    what, lasting = trial.random.choice(["ENOSPC", "EIO"]), trial.random.choice(["", "lasting"])
    fault = {"AT": operation(trial, name), "DO": getattr(errno, what), "LASTING": lasting}
    trial.notes.append(f"{what} {lasting}")
    status, said = go_on(trial, name, fault).end()
    if status == 0 and "warning" not in said:
        compare(trial, name, only_run(trial.folder))
        return "done without it"
    if status not in (0, 1):
        raise Failure("different", f"the status is {status}: {said[-700:]}")
    if not only_run(trial.folder):
        return "no run"
    check_resumes(trial, name)
    return "refused" if status == 1 else "warned"


def unlocked(trial, name):
    status, said = go_on(trial, name, {"FLOCK": errno.ENOLCK}).end()
    if status != 0:
        raise Failure("lost", said[-700:])
    if "this file system has no locks" not in said:
        raise Failure("silent", said[-700:])
    compare(trial, name, only_run(trial.folder))
    return "without locks"
