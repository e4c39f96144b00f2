#!/usr/bin/env bash
# Runs the fuzz targets one after the other, each for so many seconds, and fails on a finding:
#
#     fuzz/run.sh [SECONDS] [TARGET…]      five seconds, and all targets without Burn, by default
#
# With the targets `experiment`, `checkpoint` and `weights`, Burn is built for it: a quarter of an hour.
# Inputs that are new stay in fuzz/target/corpus, to go on from; findings go to fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --version 0.13.2 --locked --quiet
# What cargo-fuzz needs is not stable; the compiler is.
export RUSTC_BOOTSTRAP=1

seconds=${1:-5}
shift || true
[ $# -gt 0 ] || set -- archive cifar idx images logs run_directory tables texts
# Files that inputs are written to stay in memory where there is such a folder.
TMPDIR=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

failed=0 built=none
for target in "$@"; do
    case $target in
        # Burn is built without optimization and without a sanitizer, in half the time.
        experiment | checkpoint | weights) options=(--features burn --dev --sanitizer none) ;;
        *) options=() ;;
    esac
    [ "$built" = "${options[*]}" ] || cargo fuzz build "${options[@]}"
    built=${options[*]}
    mkdir -p "fuzz/target/corpus/$target"
    log=$TMPDIR/$target.log
    status=ok
    cargo fuzz run "${options[@]}" "$target" "fuzz/target/corpus/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -print_final_stats=1 >"$log" 2>&1 || status=FINDING
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    printf '%-14s %9s executions, %6s per second: %s\n' "$target" "${executions:-?}" "${rate:-?}" "$status"
    if [ "$status" != ok ]; then
        tail -n 60 "$log"
        failed=1
    fi
    rm -rf "${TMPDIR:?}"/*
done
exit $failed
