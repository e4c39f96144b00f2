#!/usr/bin/env bash
# Verdicts of Converge and of four tools like it, in an environment of their own with pinned versions:
#
#     benches/peers/verdicts.sh DATA [--every N]        verdicts.py says what DATA holds
#
# Prints one table; two minutes after the build.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=$(realpath "$1")
shift
cd "$here/../.."
environment=target/peers-verdicts
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/pip" install --quiet -r "$here/requirements-verdicts.txt"
cargo build --release
"$environment/bin/python" "$here/verdicts.py" --converge target/release/converge "$data" "$@"
