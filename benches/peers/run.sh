#!/usr/bin/env bash
# Converge, PyTorch and Keras side by side, in an environment of their own with pinned versions:
#
#     benches/peers/run.sh [DATA]        DATA holds the folders that `converge data` names
#
# Prints the tables and writes them to target/peers.md. Keep the machine otherwise idle: it takes
# about half an hour, most of it PyTorch's and Burn ndarray's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
environment=target/peers
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/pip" install --quiet -r "$here/requirements.txt"
cargo build --release --features ndarray
steps=$(cargo bench --features ndarray --bench steps --no-run 2>&1 | sed -n 's/.*(\(target[^)]*\)).*/\1/p')
"$environment/bin/python" "$here/compare.py" --converge target/release/converge --steps "$steps" \
    --output target/peers.md ${1:+--data "$1"}
