#!/usr/bin/env bash
# The pages of `converge report` and `converge watch` in a real browser: looked at in three widths, light and
# dark, and used as a reader uses them. Needs Debian's `chromium` and `chromium-driver`, and selenium from pip.
#
#     tests/browser/run.sh
#
# CONVERGE=PATH tries another program than target/release/converge, PYTHON another Python than python3;
# SCREENSHOTS=DIR keeps pictures.
set -euo pipefail
cd "$(dirname "$0")/../.."

export CONVERGE=${CONVERGE:-$PWD/target/release/converge}
unset CONVERGE_DATA
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# No data are there and none can be fetched.
export CONVERGE_CACHE=$folder/cache CONVERGE_MIRROR=http://127.0.0.1:9 PYTHONDONTWRITEBYTECODE=1
# Chromium keeps its profiles here too.
export TMPDIR=$folder
python=${PYTHON:-python3}

"$python" tests/browser/runs.py "$folder/runs"
"$python" tests/browser/reports.py "$folder/runs"
"$python" tests/browser/watch.py "$folder/runs"
