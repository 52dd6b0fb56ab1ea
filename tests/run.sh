#!/usr/bin/env bash
# Every check, with its own set-up. See CONTRIBUTING.md.
#
#   bash tests/run.sh                        ruff, mypy, import-linter, pytest
#   bash tests/run.sh tests/unit -k name     pytest only, with these arguments
#   JISR_CLUSTER=1 bash tests/run.sh         the same, and installs Docker for tests/cluster where it may
#
# Needs Python 3.11 or later; installs what else is missing where it may (root or sudo). RabbitMQ and PostgreSQL are private
# instances of the tests' own, from the system's packages. The exit code is 0 only when every check passed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

. deploy/lib/say.sh
. deploy/lib/packages.sh
. deploy/lib/python.sh

set_up() {
    local missing=()
    command -v setpriv >/dev/null || missing+=(util-linux)
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing+=(rabbitmq-server)
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
    [ "${#missing[@]}" -eq 0 ] || need_packages "${missing[@]}"
    if [ "${CI:-}" = true ] || [ "${JISR_CLUSTER:-}" = 1 ]; then
        need_docker
    fi
    make_environment requirements-dev.lock
}

# What tests/cluster needs; without it those tests are skipped and say why. Only CI, or who asks for it, gets it installed.
need_docker() {
    may_install || return 0
    command -v dockerd >/dev/null && command -v docker >/dev/null || (need_packages docker.io iptables) || true
    command -v docker >/dev/null || (need_packages docker-cli) || true
    command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || (need_packages docker-compose) || true
    command -v debootstrap >/dev/null || (need_packages debootstrap) || true
}

failed=()

# check NAME COMMAND... : run it, remember whether it passed.
check() {
    local name=$1 began=$SECONDS
    shift
    say "--- $name"
    "$@" || failed+=("$name")
    say "--- $name: $((SECONDS - began)) s"
}

set_up
if [ "$#" -gt 0 ]; then
    exec .venv/bin/python -m pytest "$@"
fi
check ruff .venv/bin/ruff check --quiet .
check 'ruff format' .venv/bin/ruff format --quiet --check .
check mypy .venv/bin/mypy
check import-linter .venv/bin/lint-imports --no-cache
check pytest .venv/bin/python -m pytest -n "${JISR_TEST_WORKERS:-3}" --dist loadfile --no-loadscope-reorder --durations=15
if [ "${#failed[@]}" -gt 0 ]; then
    say "Failed: ${failed[*]}"
    exit 1
fi
say "Every check passed in $SECONDS s"
