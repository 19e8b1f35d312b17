#!/usr/bin/env bash
# A base image out of Debian's own packages, where no image registry can be reached: tests and CI build on it.
# Holds this machine's extra certificates, so it is for this machine only: never push what stands on it.
#
#   deploy/image/local_base.sh NAME      needs podman and debootstrap, as root; about 1.5 minutes; kept if it exists
set -euo pipefail
name=${1:?name of the image}
podman image exists "$name" && exit 0

root=$(mktemp -d)
trap 'umount "$root/proc" "$root/sys" 2>/dev/null || true; rm -rf --one-file-system "$root" "$root.log"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" \
    "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1 || { tail -20 "$root.log" >&2; exit 1; }
cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
chroot "$root" update-ca-certificates >/dev/null 2>&1
# BentoML's build asks for uv by pip; Debian's python3-pip would weigh 25 MB in every image
printf '%s\n' '#!/bin/sh' 'set -e' 'python3 -m venv /opt/pip' '/opt/pip/bin/pip "$@"' 'ln -s /opt/pip/bin/uv /usr/local/bin/uv' \
    >"$root/usr/local/bin/pip"
chmod +x "$root/usr/local/bin/pip"
rm -rf "$root"/usr/share/{doc,man,info,locale}/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/dev/*
umount "$root/proc" "$root/sys" 2>/dev/null || true
tar --one-file-system -C "$root" -c . | podman import \
    --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' \
    --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' - "$name" >/dev/null
