#!/usr/bin/env bash
# make_base.sh SUITE IMAGE [PACKAGE...]
#
# Make a base image from Debian's packages alone, for who has no container registry: debootstrap into a directory, import it.
#
#   sudo bash deploy/images/make_base.sh bookworm jisr-base:bookworm
#   sudo bash deploy/images/make_base.sh trixie jisr-base:trixie
#
# The image has Python with venv, certificates and PACKAGE...; a mirror may be named with JISR_DEBIAN_MIRROR.
set -euo pipefail

[ "$#" -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
suite=$1 image=$2
shift 2
packages=(ca-certificates python3 python3-venv "$@")
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT

debootstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$root" \
    ${JISR_DEBIAN_MIRROR:+"$JISR_DEBIAN_MIRROR"} >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    exit 1
}
rm -f "$root.log"
# Services are never started inside an image that is being built.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/*
tar --numeric-owner --one-file-system -C "$root" -c . \
    | docker import --change 'CMD ["bash"]' --change 'ENV LANG=C.UTF-8' - "$image" >/dev/null
echo "$image"
