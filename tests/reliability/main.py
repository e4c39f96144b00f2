"""Trials of what goes wrong around a training; see run.sh."""

import os
import shutil
import sys
from pathlib import Path

import damage
import inputs
import mirror
import stops
from harness import Part, Tools, table

# How many trials of each part are made in a short and in a long run, and what makes one.
COUNTS = {
    "kills": (60, 1000, stops.kill),
    "signals": (16, 120, stops.stop),
    "faults": (40, 200, stops.fault),
    "damage": (90, 400, damage.damage),
    # All but those that are silent until the program gives up.
    "mirrors": (len(mirror.MODES) - 4, len(mirror.MODES), mirror.fetch),
    "inputs": (340, 8500, inputs.mutated),
}


def main():
    length, scratch, binary = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    seed, wanted = os.environ.get("SEED", "1"), os.environ.get("TRIAL")
    print(f"SEED={seed} {binary}", flush=True)
    tools = Tools(binary, scratch / "fault.so", scratch, seed)
    parts = []
    for name, (short, long, trial) in COUNTS.items():
        count = long if length == "long" else short
        if wanted:
            part, _, number = wanted.partition("-")
            if part != name:
                continue
            count = f"#{number}" if number else count
        parts.append(Part(name, trial))
        parts[-1].run(tools, count)
    if not parts:
        sys.exit(f"TRIAL={wanted} is of none of: {', '.join(COUNTS)}")
    failed = table(parts)
    shutil.rmtree(scratch if not failed else scratch / "shared", ignore_errors=True)
    if failed:
        print(f"{failed} failed; again: SEED={seed} TRIAL=NAME tests/reliability/run.sh {length}. Kept: {scratch}")
        sys.exit(1)


main()
