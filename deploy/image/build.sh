#!/usr/bin/env bash
# `make image`: one container image for every role of the bundle, with podman, buildah or docker.
#
#   BASE_IMAGE  what it stands on; Python 3.11 at least, Debian-like      (python:3.11-slim-bookworm)
#   BUILDER     podman, buildah or docker                                 (the first that works)
#   EXTRA       rembg: adds that package, tag NAME:VERSION-rembg          (none)
#   IMAGE       name without tag                                          (pillscope)
#   PYTHON      the one that has bentoml                                  (.venv/bin/python)
set -euo pipefail
cd "$(dirname "$0")/../.."

BASE_IMAGE=${BASE_IMAGE:-docker.io/library/python:3.11-slim-bookworm}
IMAGE=${IMAGE:-pillscope}
PYTHON=${PYTHON:-.venv/bin/python}
EXTRA=${EXTRA:-}

builder() {
    local tool
    for tool in ${BUILDER:-podman buildah docker}; do
        if "$tool" info >/dev/null 2>&1; then echo "$tool"; return; fi
    done
    echo "make image needs podman, buildah or docker, running: apt install podman" >&2
    return 1
}

tool=$(builder)
case "$EXTRA" in
    "") suffix="" packages="" ;;
    rembg) suffix="-rembg" packages="rembg>=2.0.60" ;;
    *) echo "EXTRA=$EXTRA is none of: rembg" >&2; exit 1 ;;
esac
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

# A store of its own: what `bentoml list` shows stays what a person has built.
BENTOML_HOME=$(mktemp -d)
trap 'rm -rf "$BENTOML_HOME"' EXIT
export BENTOML_HOME BENTO_BASE_IMAGE="$BASE_IMAGE" BENTOML_DO_NOT_TRACK=True
# One layer a stage: podman would store BentoML's 700 MB several times over and leave them behind.
export BUILDAH_LAYERS=false
bento=$("$PYTHON" -m bentoml build -o tag | sed -n 's/^__tag__://p')

built=$IMAGE-built:$version
"$PYTHON" -m bentoml containerize "$bento" --backend "$tool" -t "$built"
final=$IMAGE:$version$suffix
"$tool" build -f deploy/image/Containerfile --build-arg BUILT="$built" --build-arg BASE="$BASE_IMAGE" \
    --build-arg EXTRA_PACKAGES="$packages" --label org.opencontainers.image.version="$version" \
    --label org.opencontainers.image.licenses="Apache-2.0 AND AGPL-3.0-only" -t "$final" deploy/image

if [ "$tool" = buildah ]; then
    echo "$final: $(buildah images --format '{{.Size}}' "$final")"
else
    "$tool" image inspect --format '{{.Size}}' "$final" | awk -v name="$final" '{printf "%s: %.0f MB\n", name, $1 / 1e6}'
fi
