#!/usr/bin/env bash
# Everything that may go wrong around a training, done to it on purpose: kills, signals, disks that
# fail, damaged files, inputs that are none, mirrors that misbehave.
#
#     tests/reliability/run.sh [short|long]      short by default: a minute or so
#
# SEED=2 draws other trials, TRIAL=kills makes those of one part, TRIAL=kills-17 the one that failed, and
# CONVERGE names the program, else target/release/converge. Nothing is kept but the folders of trials that
# failed. Needs Linux, a C compiler and Python 3.11 or newer.
set -euo pipefail
cd "$(dirname "$0")/../.."

length=${1:-short}
case $length in
    short | long) ;;
    *) echo "usage: tests/reliability/run.sh [short|long]" >&2; exit 2 ;;
esac
if [ "$(uname -s)" != Linux ]; then
    echo "tests/reliability/run.sh needs Linux: it comes between the program and its C library" >&2
    exit 2
fi
binary=$(realpath "${CONVERGE:-target/release/converge}")
if [ ! -x "$binary" ]; then
    echo "there is no $binary: build it with \`cargo build --release\`, or name another one by CONVERGE" >&2
    exit 2
fi

scratch=$(mktemp -d -t converge-reliability.XXXXXX)
cc -O2 -Wall -shared -fPIC -o "$scratch/fault.so" tests/reliability/fault.c -lpthread
PYTHONDONTWRITEBYTECODE=1 exec python3 tests/reliability/main.py "$length" "$scratch" "$binary"
