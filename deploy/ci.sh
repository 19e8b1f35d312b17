#!/usr/bin/env bash
# Prepares the tests of deploy/ that need more than Python: sourced by .ci/run, in a clean machine. As root on Debian it
# installs the missing packages; where one cannot be had or does not work, the tests that need it skip, and a line says
# which and why. The base of the image is made in the background (1.5 minutes, most of it spent waiting for packages):
# call `deploy_begin` early and `deploy_ready` before the tests. What those ask for is left in the environment.

DEPLOY_BASE=localhost/pillscope-base:bookworm  # of tests/integration/test_image.py

deploy_packages() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "not root on Debian: nothing is installed"; return 1; }
    local wanted=(podman debootstrap runc netavark aardvark-dns uidmap iptables catatonit nginx-light libnginx-mod-stream)
    dpkg --status "${wanted[@]}" >/dev/null 2>&1 && return
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
        "${wanted[@]}" >/dev/null 2>&1 && return
    echo "apt-get could not install: ${wanted[*]}"
    return 1
}

# Whether a container starts at all here: of the one static program that came with podman.
container_starts() {
    local name=localhost/pillscope-probe:1 said="its image could not be made"
    tar -C /usr/bin -c catatonit | podman import - "$name" >/dev/null 2>&1 &&
        said=$(podman run --rm --network none --read-only "$name" /catatonit --version 2>&1)
    local failed=$?
    podman rmi --force "$name" >/dev/null 2>&1
    [ $failed = 0 ] || echo "podman starts no container here: $(tail -c 200 <<<"$said")"
    return $failed
}

deploy_begin() {
    local reason
    reason=$(deploy_packages) || { echo "Image and replicas were not tested: $reason."; return; }
    export CONTAINERS_CONF=$PWD/deploy/image/containers.conf
    [ -z "${DEPLOY_TEST:-}" ] || export SCALING_TEST=1
    if ! reason=$(container_starts); then echo "The image was not tested: $reason."; return; fi
    DEPLOY_LOG=$(mktemp)
    deploy/image/local_base.sh "$DEPLOY_BASE" >"$DEPLOY_LOG" 2>&1 &
    DEPLOY_JOB=$!
}

deploy_ready() {
    [ -n "${DEPLOY_JOB:-}" ] || return 0
    if wait "$DEPLOY_JOB"; then export IMAGE_TEST=build
    else echo "The image was not tested, its base could not be made: $(tail -n 3 "$DEPLOY_LOG")"; fi
    rm -f "$DEPLOY_LOG"
}
