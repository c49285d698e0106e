#!/usr/bin/env bash
# Unit tests of the contracts on the host. Needs a Rust of at least 1.85 (`cargo`).
set -euo pipefail
cd "$(dirname "$0")/../contracts"
if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust 1.85 or newer (Debian: apt-get install cargo-web rustc-web libstd-rust-web-dev)" >&2
    exit 1
fi
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/near-compute-oracle/contracts-test}"
exec cargo test --workspace --locked "$@"
