#!/usr/bin/env bash
# Builds the contracts into localnet/contracts/: wasm, ABI and SHA256SUMS, by the one recipe whose bytes count.
#
#   scripts/build-contracts.sh            build and write
#   scripts/build-contracts.sh --check    build a copy in a fresh directory elsewhere, compare, write nothing; exit 1 names what differs
#   Names of contracts after that: those only.
#
# The recipe is Debian 12's Rust 1.85 with the standard library from source, one linker, every path mapped away: the same bytes in every
# directory and for every user. Rust from elsewhere serves development (scripts/test-contracts.sh) and never writes artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
artifacts=$root/localnet/contracts
# What is built in one go shares the features asked of a dependency, so these groups are part of the recipe. register stays alone: its
# libraries must not change the bytes of the others.
together=(outlayer example-client registrar test-client)
alone=(register)
rust_version=1.85.0
rust_source=/usr/src/rustc-$rust_version

fail() { printf 'build-contracts: %s\n' "$*" >&2; exit 1; }

need() { # path-or-command package
    command -v "$1" >/dev/null || [ -e "$1" ] || missing+=("$2")
}

missing=()
need /usr/bin/rustc rustc-web
need /usr/bin/cargo cargo-web
need "$rust_source/library/std/Cargo.toml" rust-web-src
need /usr/bin/wasm-ld-19 lld-19
# register verifies signatures with ring, whose arithmetic is C.
need /usr/bin/clang-19 clang-19
need /usr/bin/llvm-ar-19 llvm-19
if [ ${#missing[@]} -gt 0 ]; then
    fail "missing: ${missing[*]}. Mend (Debian 12): apt-get install rustc-web=1.85.0+dfsg3-1~deb12u3 libstd-rust-web-dev=1.85.0+dfsg3-1~deb12u3 cargo-web=1.85.0+dfsg3-1~deb12u3 rust-web-src=1.85.0+dfsg3-1~deb12u3 lld-19 clang-19 llvm-19"
fi
found=$(/usr/bin/rustc --version | cut -d' ' -f2)
[ "$found" = "$rust_version" ] || fail "/usr/bin/rustc is $found and $rust_version is needed: apt-get install rustc-web=1.85.0+dfsg3-1~deb12u3"

mode=write
crates=()
for argument in "$@"; do
    case "$argument" in
        --check) mode=check ;;
        -*) fail "unknown option $argument (there is --check)" ;;
        *) [[ " ${together[*]} ${alone[*]} " == *" $argument "* ]] || fail "there is no contract $argument (there are: ${together[*]} ${alone[*]})"
           crates+=("$argument") ;;
    esac
done
[ ${#crates[@]} -gt 0 ] || crates=("${together[@]}" "${alone[@]}")
is_asked() { local crate; for crate in "$@"; do if [[ " ${crates[*]} " == *" $crate "* ]]; then return 0; fi; done; return 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/near-contracts.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=$work/artifacts
mkdir -p "$out"

if [ $mode = check ]; then
    # A directory of another name and depth: a path that leaks into the bytes shows.
    source_dir=$work/elsewhere/copy
    mkdir -p "$source_dir"
    cp -r contracts/. "$source_dir"
    target_dir=$work/target-of-check
else
    source_dir=$root/contracts
    target_dir=${CONTRACTS_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/near-compute-oracle/contracts}
fi

cargo_home=${CARGO_HOME:-$HOME/.cargo}
unset RUSTFLAGS RUSTC RUSTC_WRAPPER CARGO_BUILD_RUSTFLAGS

# Every export of a contract is a method. Libraries (ring, getrandom) mark functions for the linker, which rustc then exports from the wasm:
# this stands before the linker and leaves those out.
mkdir "$work/bin"
cat >"$work/bin/wasm-ld-19" <<'LINKER'
#!/usr/bin/env bash
kept=()
while [ $# -gt 0 ]; do
    case "$1 ${2-}" in
        "--export ring_core_"* | "--export __getrandom_custom") shift 2 ;;
        *) kept+=("$1"); shift ;;
    esac
done
exec /usr/bin/wasm-ld-19 "${kept[@]}"
LINKER
chmod +x "$work/bin/wasm-ld-19"
export PATH=$work/bin:/usr/bin:$PATH
export RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$target_dir

remaps=(
    "--remap-path-prefix=$source_dir=contracts"
    "--remap-path-prefix=$rust_source=rustc"
    "--remap-path-prefix=$target_dir=target"
)

build_group() {
    local packages=() crate
    for crate in "$@"; do packages+=(-p "$crate"); done
    CC_wasm32_unknown_unknown=clang-19 AR_wasm32_unknown_unknown=llvm-ar-19 CFLAGS_wasm32_unknown_unknown="${c_flags[*]}" \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 \
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; printf '%s' "${remaps[*]}") \
        /usr/bin/cargo build --quiet --release --locked -Zbuild-std=std,panic_abort -Zbuild-std-features=panic_immediate_abort \
        --target wasm32-unknown-unknown "${packages[@]}"
}

build_wasm() {
    cd "$source_dir"
    /usr/bin/cargo fetch --locked --quiet
    local registry crate c_flags=("-ffile-prefix-map=$target_dir=target")
    for registry in "$cargo_home"/registry/src/*/; do
        remaps+=("--remap-path-prefix=${registry%/}=crates")
        c_flags+=("-ffile-prefix-map=${registry%/}=crates")
    done
    if is_asked "${together[@]}"; then build_group "${together[@]}"; fi
    for crate in "${alone[@]}"; do
        if is_asked "$crate"; then build_group "$crate"; fi
    done
    for crate in "${crates[@]}"; do
        local name=${crate//-/_}
        cp "$target_dir/wasm32-unknown-unknown/release/$name.wasm" "$out/$name.wasm"
    done
}

crate_version() { sed -n 's/^version = "\(.*\)"/\1/p' "$source_dir/Cargo.toml" | head -1; }

# The ABI is what the macros of near-sdk write into a library for the host; abi-writer reads it out.
build_abi() {
    cd "$source_dir"
    unset CARGO_ENCODED_RUSTFLAGS
    /usr/bin/cargo build --quiet --locked -p abi-writer
    for crate in "${crates[@]}"; do
        local name=${crate//-/_}
        /usr/bin/cargo build --quiet --locked -p "$crate" --features abi
        "$target_dir/debug/abi-writer" "$target_dir/debug/lib$name.so" "$crate" "$(crate_version)" >"$out/${name}_abi.json"
    done
}

# Whatever the machine, its user and its directories are called must not be in the bytes.
refuse_paths() {
    local path
    for path in "$HOME" "$cargo_home" "$root" "$work" "$target_dir" "$rust_source" /home/; do
        if grep -lF -- "$path" "$out"/*; then fail "these hold the path $path of this machine"; fi
    done
}

build_wasm
build_abi
refuse_paths
(cd "$out" && sha256sum -- *.wasm *_abi.json >SHA256SUMS)

if [ $mode = write ]; then
    mkdir -p "$artifacts"
    install -m 644 "$out"/*.wasm "$out"/*_abi.json "$artifacts/"
    cd "$artifacts"
    sha256sum -- *.wasm *_abi.json | tee SHA256SUMS
    exit 0
fi

committed=$work/committed
for crate in "${crates[@]}"; do
    grep -E "  ${crate//-/_}(\.wasm|_abi\.json)\$" "$artifacts/SHA256SUMS" || true
done | sort -k2 >"$committed"
sort -k2 -o "$out/SHA256SUMS" "$out/SHA256SUMS"
if diff -u --label committed --label rebuilt "$committed" "$out/SHA256SUMS"; then
    (cd "$artifacts" && sha256sum --quiet --check SHA256SUMS) || fail "the files differ from their own SHA256SUMS: run scripts/build-contracts.sh"
    echo "the artifacts are those of the sources: rebuilt in another directory, byte for byte the same"
else
    fail "the artifacts are not those of the sources (- committed, + rebuilt): run scripts/build-contracts.sh and commit"
fi
