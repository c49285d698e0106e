#!/usr/bin/env bash
# Pushes what scripts/build-image.sh wrote, byte for byte, and prints the name by which machines pull it.
#
#   scripts/push-image.sh NAME [ARCHIVE]
#       NAME      registry and repository with a tag: docker.io/me/worker:0.1.0
#       ARCHIVE   default: build/worker-image.tar
#
# Log in first (skopeo login REGISTRY). What the registry says it holds is compared with the archive. Needs skopeo 1.8 or newer; options for a
# registry of your own: SKOPEO_COPY_OPTIONS=--dest-tls-verify=false SKOPEO_INSPECT_OPTIONS=--tls-verify=false.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'push-image: %s\n' "$*" >&2; exit 1; }

name=${1:-}
archive=${2:-build/worker-image.tar}
[ $# -le 2 ] || fail "more than a name and an archive were given"
[[ $name =~ ^[a-z0-9][a-zA-Z0-9.:-]*/[a-z0-9._/-]+:[A-Za-z0-9._-]+$ ]] || fail "NAME '$name': wanted: registry/repository:tag, as in docker.io/me/worker:0.1.0"
[ -f "$archive" ] || fail "$archive is not there; build it: scripts/build-image.sh"
command -v skopeo >/dev/null || fail "skopeo is needed (Debian: apt-get install skopeo)"

wanted=$(skopeo inspect --format '{{.Digest}}' "oci-archive:$archive")
# shellcheck disable=SC2086  # options, none by default; a registry of one's own may need --dest-tls-verify=false
skopeo copy --preserve-digests ${SKOPEO_COPY_OPTIONS:-} "oci-archive:$archive" "docker://$name" >&2
found=$(skopeo inspect ${SKOPEO_INSPECT_OPTIONS:-} --format '{{.Digest}}' "docker://$name")
[ "$found" = "$wanted" ] || fail "$name has the digest $found, the archive has $wanted"
printf '%s@%s\n' "${name%:*}" "$found"
