#!/usr/bin/env bash
# Prepares the tests of deploy/ that need more than Python: sourced by .ci/run before `make test`, in a clean machine.
# As root on Debian it installs the missing packages; where one cannot be had or does not work, the tests that need it
# skip, and a line here says which and why. Leaves in the environment what those tests ask for.

deploy_packages() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "not root on Debian: nothing is installed"; return 1; }
    local wanted=(podman debootstrap runc netavark aardvark-dns uidmap iptables catatonit nginx-light libnginx-mod-stream)
    dpkg --status "${wanted[@]}" >/dev/null 2>&1 && return
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${wanted[@]}" >/dev/null 2>&1 && return
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

deploy_ready() {
    local reason
    reason=$(deploy_packages) || { echo "Image and replicas were not tested: $reason."; return; }
    export CONTAINERS_CONF=$PWD/deploy/image/containers.conf SCALING_TEST=1
    if reason=$(container_starts); then export IMAGE_TEST=build; else echo "The image was not tested: $reason."; fi
}

deploy_ready
