#!/usr/bin/env bash
# The tests of src/kernels, where all unsafe code is, under the address sanitizer, the thread
# sanitizer and, where it is installed, valgrind (whose processor has AVX2 but no AVX-512):
#
#     tests/sanitizers.sh [address] [thread] [valgrind]      all by default
#
# The kernels know nothing of Burn, so a package of their own compiles in a minute.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
package=$root/target/sanitizers
mkdir -p "$package/src"
cp "$root/Cargo.lock" "$package/Cargo.lock"
{
    printf '[package]\nname = "kernels"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
    grep -E '^(gemm|pulp|rayon|thiserror|proptest|serde_json) =' "$root/Cargo.toml"
    # The sanitizers watch optimized code too, and overflow is checked.
    printf '[profile.release]\ndebug = "line-tables-only"\noverflow-checks = true\n'
} >"$package/Cargo.toml"
printf '#![allow(warnings)]\n#[path = "%s/src/kernels/mod.rs"]\npub mod kernels;\n' "$root" >"$package/src/lib.rs"
cd "$package"
export PROPTEST_CASES=${PROPTEST_CASES:-16} RUSTC_BOOTSTRAP=1
target=$(rustc -vV | sed -n 's/^host: //p')

sanitized() { # its name, then what its library needs
    RUSTFLAGS="-Zsanitizer=$1 ${2:-}" cargo test --release --target "$target" --target-dir "$1"
}

for checker in "${@:-address thread valgrind}"; do
    for checker in $checker; do
        echo "== kernels under $checker"
        case $checker in
            address) sanitized address ;;
            # The standard library is not instrumented: its own locks are seen through their atomics.
            thread) TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1" \
                sanitized thread "-Cunsafe-allow-abi-mismatch=sanitizer" ;;
            valgrind)
                if ! command -v valgrind >/dev/null; then
                    echo "valgrind is not installed: skipped"
                    continue
                fi
                PROPTEST_CASES=2 CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --error-exitcode=9 --num-callers=20" \
                    cargo test --release --target "$target" --target-dir plain -- --test-threads=1
                ;;
        esac
    done
done
