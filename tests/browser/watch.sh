#!/usr/bin/env bash
# The page of `converge watch` in a real browser. Needs Debian's `chromium` and `chromium-driver`, and Python
# with `selenium` (PYTHON names it, else python3). Builds no Burn.
#
#     tests/browser/watch.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --package converge-watch --example watch
target=${CARGO_TARGET_DIR:-target}
exec "${PYTHON:-python3}" tests/browser/watch.py "$target/debug/examples/watch"
