#!/usr/bin/env bash
# Builds examples/guests into oracle/guests, or with --check builds them elsewhere and compares the bytes.
# C: ziglang from .venv. Rust: Debian's rustc 1.85 with std from source (rustc-web, cargo-web, rust-web-src, wasi-libc, lld-19).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

check=false
case "${1:-}" in
    --check) check=true ;;
    "") ;;
    *)
        echo "usage: $0 [--check]" >&2
        exit 2
        ;;
esac

missing=()
.venv/bin/python -c 'import ziglang' 2>/dev/null || make .venv/dev.stamp
/usr/bin/rustc --version 2>/dev/null | grep -q '^rustc 1\.85\.0 ' || missing+=("rustc-web 1.85.0 (apt)")
[ -x /usr/bin/cargo ] || missing+=("cargo-web 1.85.0 (apt)")
[ -d /usr/src/rustc-1.85.0/library/std ] || missing+=("rust-web-src 1.85.0 (apt)")
[ -f /usr/lib/wasm32-wasi/crt1-command.o ] || missing+=("wasi-libc (apt)")
command -v wasm-ld-19 >/dev/null || missing+=("lld-19 (apt)")
if [ ${#missing[@]} -gt 0 ]; then
    printf 'missing: %s\n' "${missing[@]}" >&2
    exit 1
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/near-compute-oracle/guests
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
mkdir -p "$cache"

# zig gives a program 16 MB of stack unless told otherwise, and a guest's memory is paid for by its limit.
zig_flags=(--target=wasm32-wasi -Oz -Wall -Wextra -Werror -Wl,-z,stack-size=131072)
export ZIG_GLOBAL_CACHE_DIR=$cache/zig ZIG_LOCAL_CACHE_DIR=$cache/zig-local

build_c() { # source, name, flags that say how much to strip
    (cd "$(dirname "$1")" && "$root/.venv/bin/python" -m ziglang cc "${zig_flags[@]}" "$3" "$(basename "$1")" -o "$built/$2.wasm")
}

for name in echo primes random sha256; do
    build_c "examples/guests/$name/main.c" "$name" -s
done
# These keep the names of their functions, which the report of a trap then tells; zig has names only together with debugging data.
for source in examples/guests/misbehaving/*.c; do
    build_c "$source" "$(basename "$source" .c)" -g
    .venv/bin/python - "$built/$(basename "$source" .c).wasm" <<'END'
import sys
from pathlib import Path

CUSTOM = 0


def leb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


path = Path(sys.argv[1])
wasm = path.read_bytes()
kept, at = wasm[:8], 8
while at < len(wasm):
    start, kind = at, wasm[at]
    size, body = leb128(wasm, at + 1)
    at = body + size
    length, name = leb128(wasm, body)
    if kind != CUSTOM or wasm[name : name + length] == b"name":
        kept += wasm[start:at]
path.write_bytes(kept)
END
done

build_rust() { # name
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$cache/rust
    export CARGO_TARGET_WASM32_WASIP1_LINKER=wasm-ld-19
    local separator=$'\x1f' registry=${CARGO_HOME:-$HOME/.cargo}/registry/src flags
    (
        cd "examples/guests/$1"
        /usr/bin/cargo fetch --locked --target wasm32-wasip1 --quiet
        flags="-Clink-self-contained=no${separator}-Lnative=/usr/lib/wasm32-wasi${separator}-Clink-arg=/usr/lib/wasm32-wasi/crt1-command.o"
        flags+="${separator}--remap-path-prefix=/usr/src/rustc-1.85.0=rustc${separator}--remap-path-prefix=$PWD=."
        for crates in "$registry"/*/; do
            flags+="${separator}--remap-path-prefix=${crates%/}=crates"
        done
        CARGO_ENCODED_RUSTFLAGS=$flags /usr/bin/cargo build --release --locked --quiet -Zbuild-std=std,panic_abort --target wasm32-wasip1
    )
    cp "$CARGO_TARGET_DIR/wasm32-wasip1/release/$1.wasm" "$built/$1.wasm"
}

build_rust word_count

chmod 644 "$built"/*.wasm
(cd "$built" && sha256sum -- *.wasm >SHA256SUMS)
if $check; then
    diff "$built/SHA256SUMS" oracle/guests/SHA256SUMS && (cd oracle/guests && sha256sum --check --quiet SHA256SUMS)
    echo "guests: the same bytes"
else
    rm -f oracle/guests/*.wasm
    mkdir -p oracle/guests
    cp "$built"/* oracle/guests/
    ls -l oracle/guests
fi
