#!/usr/bin/env bash
# The tests of crates/kernels, where all unsafe code is, under the address sanitizer, the thread
# sanitizer and, where it is installed, valgrind (whose processor has AVX2 but no AVX-512):
#
#     tests/sanitizers/run.sh [address] [thread] [valgrind]      all by default
#
# Besides the crate rayon is instrumented, whose atomics order what its threads do. The standard library
# is not, so rayon gets locks of its own: a patched copy, with a lock file of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$PWD/target/sanitizers
mkdir -p "$folder"
cp Cargo.lock "$folder/Cargo.lock"
# Cargo calls it in place of rustc.
cat >"$folder/rustc.sh" <<'EOF'
#!/bin/sh
case " $* " in
    *" --crate-name converge_kernels "* | *" --crate-name rayon"* | *" --crate-name crossbeam"*)
        exec "$@" -Zsanitizer="$SANITIZER" -Cunsafe-allow-abi-mismatch=sanitizer --cfg "crossbeam_sanitize_$SANITIZER" ;;
    *) exec "$@" -Cunsafe-allow-abi-mismatch=sanitizer ;;
esac
EOF
# The test runner's channel; fences, which the sanitizer does not know; a queue that reads, then sees that it must not use it.
printf 'race:%s\n' std::sync::mpmc 'alloc::sync::Arc' crossbeam_epoch crossbeam_deque >"$folder/suppressions"
chmod +x "$folder/rustc.sh"
cargo fetch --quiet
version=$(sed -n '/^name = "rayon-core"/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
rm -rf "$folder/rayon-core"
cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/rayon-core-"$version" "$folder/rayon-core"
cp tests/sanitizers/locks.rs "$folder/rayon-core/src/sync.rs"
sed -i 's/^use std::sync;/mod sync;/' "$folder/rayon-core/src/lib.rs"
export PROPTEST_CASES=${PROPTEST_CASES:-16} RUSTC_BOOTSTRAP=1

# In a target directory. Optimized code of the crate is what runs, and overflow is checked on top; what it
# depends on is not worth optimizing for one run.
tests() {
    local target=$1
    shift
    cargo test --package converge-kernels --lib --target-dir "$folder/$target" \
        -Zlockfile-path --config "resolver.lockfile-path='$folder/Cargo.lock'" \
        --config "patch.crates-io.rayon-core.path='$folder/rayon-core'" \
        --config 'profile.dev.package.converge-kernels.opt-level=2' \
        --config 'profile.dev.package."*".opt-level=0' -- "$@"
}

[ $# -gt 0 ] || set -- address thread valgrind
for checker in "$@"; do
    echo "== kernels under $checker"
    case $checker in
        address | thread)
            SANITIZER=$checker RUSTC_WRAPPER="$folder/rustc.sh" \
                TSAN_OPTIONS="suppressions=$folder/suppressions" tests "$checker"
            ;;
        valgrind)
            if command -v valgrind >/dev/null; then
                PROPTEST_CASES=2 CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --error-exitcode=9 --num-callers=20" \
                    tests plain --test-threads=1
            else
                echo "valgrind is not installed: skipped"
            fi
            ;;
        *) echo "$checker is none of address, thread, valgrind" >&2; exit 2 ;;
    esac
done
