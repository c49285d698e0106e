#!/usr/bin/env bash
# Builds the worker's image from the commit that is checked out, so that everybody who builds it gets the same digest.
#
#   scripts/build-image.sh BASE_IMAGE [OUTPUT]
#       BASE_IMAGE   a Python image by its digest: docker.io/library/python:3.11-slim-bookworm@sha256:…
#       OUTPUT       the OCI archive to write (default: build/worker-image.tar)
#   --print          say the command and build nothing
#
# What the bytes depend on is named here: the commit (git archive, with its own modes and the commit's time), the base image, the lock files'
# hashes, one platform, no cache, no provenance or SBOM (they hold times), and times in layers set to the commit's (rewrite-timestamp).
# Needs docker with buildx 0.13 (BuildKit 0.13) or newer.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'build-image: %s\n' "$*" >&2; exit 1; }

print=false
words=()
for argument in "$@"; do
    case "$argument" in
        --print) print=true ;;
        -*) fail "unknown option $argument (there is --print)" ;;
        *) words+=("$argument") ;;
    esac
done
base=${words[0]:-}
output=${words[1]:-build/worker-image.tar}
[ ${#words[@]} -le 2 ] || fail "more than a base image and an output were given"
[[ $base =~ ^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$ ]] ||
    fail "BASE_IMAGE '$base' is not named by its digest; look it up: docker buildx imagetools inspect docker.io/library/python:3.11-slim-bookworm"
[[ $output != *,* ]] || fail "OUTPUT '$output' has a comma, which buildx takes for the next option"

commit=$(git rev-parse HEAD)
epoch=$(git log -1 --format=%ct)
[ -z "$(git status --porcelain -- . ':!build')" ] || printf 'build-image: the tree has changes that are not committed; the image is of commit %s\n' "$commit" >&2

metadata=$output.json
command=(docker buildx build --no-cache --pull --platform linux/amd64 --provenance=false --sbom=false
    --build-arg "BASE_IMAGE=$base" --build-arg "SOURCE_DATE_EPOCH=$epoch"
    --label "org.opencontainers.image.revision=$commit" --label "org.opencontainers.image.base.name=$base"
    --metadata-file "$metadata"
    --output "type=oci,dest=$output,rewrite-timestamp=true,oci-mediatypes=true,compression=gzip,force-compression=true")
if $print; then
    printf '%q ' "${command[@]}" CONTEXT
    printf '\n'
    exit 0
fi

docker buildx version >/dev/null 2>&1 || fail "docker with buildx is needed; --print says what would be run"
context=$(mktemp -d "${TMPDIR:-/tmp}/worker-image.XXXXXX")
trap 'rm -rf "$context"' EXIT
mkdir -p "$(dirname "$output")"
git -c tar.umask=0022 archive "$commit" | tar -x -C "$context"
SOURCE_DATE_EPOCH=$epoch "${command[@]}" "$context"
digest=$(sed -n 's/.*"containerimage\.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$metadata" | head -1)
[ -n "$digest" ] || fail "$metadata names no digest"
printf 'commit  %s\nbase    %s\narchive %s\ndigest  %s\n' "$commit" "$base" "$output" "$digest"
