#!/usr/bin/env bash
# The tests of src/kernels, where all unsafe code is, under the address sanitizer, the thread
# sanitizer and, where it is installed, valgrind (whose processor has AVX2 but no AVX-512):
#
#     tests/sanitizers/run.sh [address] [thread] [valgrind]      all by default
#
# The kernels know nothing of Burn, so a package of their own compiles in a few minutes. Besides
# them rayon is instrumented, whose atomics order what its threads do. The standard library is not, so
# rayon gets locks of its own.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
package=$root/target/sanitizers
mkdir -p "$package/src"
cp "$root/Cargo.lock" "$package/Cargo.lock"
{
    printf '[package]\nname = "kernels"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
    grep -E '^(gemm|pulp|rayon|thiserror|proptest|serde_json) =' "$root/Cargo.toml"
    # Optimized code is what runs; overflow is checked on top.
    printf '[profile.dev]\nopt-level = 2\ndebug = "line-tables-only"\n'
} >"$package/Cargo.toml"
printf '#![allow(warnings)]\n#[path = "%s/src/kernels/mod.rs"]\npub mod kernels;\n' "$root" >"$package/src/lib.rs"
# Cargo calls it in place of rustc.
cat >"$package/rustc.sh" <<'EOF'
#!/bin/sh
case " $* " in
    *" --crate-name kernels "* | *" --crate-name rayon"* | *" --crate-name crossbeam"*)
        exec "$@" -Zsanitizer="$SANITIZER" -Cunsafe-allow-abi-mismatch=sanitizer --cfg "crossbeam_sanitize_$SANITIZER" ;;
    *) exec "$@" -Cunsafe-allow-abi-mismatch=sanitizer ;;
esac
EOF
# The test runner's channel; fences, which the sanitizer does not know; a queue that reads, then sees that it must not use it.
printf 'race:%s\n' std::sync::mpmc 'alloc::sync::Arc' crossbeam_epoch crossbeam_deque >"$package/suppressions"
chmod +x "$package/rustc.sh"
cd "$package"
cargo fetch --quiet
version=$(sed -n '/^name = "rayon-core"/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
rm -rf rayon-core
cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/rayon-core-"$version" rayon-core
cp "$root/tests/sanitizers/locks.rs" rayon-core/src/sync.rs
sed -i 's/^use std::sync;/mod sync;/' rayon-core/src/lib.rs
printf '[patch.crates-io]\nrayon-core = { path = "rayon-core" }\n' >>Cargo.toml
export PROPTEST_CASES=${PROPTEST_CASES:-16} RUSTC_BOOTSTRAP=1

tests() { # under a sanitizer
    SANITIZER=$1 RUSTC_WRAPPER="$package/rustc.sh" TSAN_OPTIONS="suppressions=$package/suppressions" \
        cargo test --target-dir "$1" --lib
}

[ $# -gt 0 ] || set -- address thread valgrind
for checker in "$@"; do
    echo "== kernels under $checker"
    case $checker in
        address | thread) tests "$checker" ;;
        valgrind)
            if command -v valgrind >/dev/null; then
                PROPTEST_CASES=2 CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --error-exitcode=9 --num-callers=20" \
                    cargo test --target-dir plain --lib -- --test-threads=1
            else
                echo "valgrind is not installed: skipped"
            fi
            ;;
        *) echo "$checker is none of address, thread, valgrind" >&2; exit 2 ;;
    esac
done
