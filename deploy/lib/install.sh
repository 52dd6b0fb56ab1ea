#!/usr/bin/env bash
# install.sh PACKAGE... : install system packages (Debian, Ubuntu) as root without starting any service.
#
# Debian's packages start what they install. While this runs, /usr/sbin/policy-rc.d forbids that; what stood there before is
# put back at the end. Services that run already are neither stopped nor restarted.
set -uo pipefail

policy=/usr/sbin/policy-rc.d
kept=
log=$(mktemp)

put_back() {
    rm -f "$policy" "$log"
    [ -z "$kept" ] || mv "$kept" "$policy"
}

if [ -e "$policy" ]; then
    kept=$(mktemp "$policy.XXXXXX") && mv "$policy" "$kept"
fi
trap put_back EXIT
trap 'exit 1' INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"

apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1
}

apt install --no-install-recommends "$@" || { apt update && apt install --no-install-recommends "$@"; } || {
    tail -n 20 "$log" >&2
    exit 1
}
