#!/usr/bin/env bash
# A country on this machine: bash deploy/demo.sh [--nodes ninewa,anbar,duhok|all] [--seed N] [--check] [--json] [--help]
#
# Needs Python 3.11 or later and, for the broker, Debian or Ubuntu or a RabbitMQ of yours (JISR_RABBITMQ_URL).
# Makes .venv in this checkout from requirements.lock; keeps all else below JISR_HOME (.jisr). See docs/demo.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deploy/lib/say.sh
. deploy/lib/packages.sh
. deploy/lib/python.sh

need_broker() {
    command -v setpriv >/dev/null || need_packages util-linux
    [ -z "${JISR_RABBITMQ_URL:-}" ] || return 0
    command -v rabbitmq-server >/dev/null 2>&1 || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] \
        || need_packages rabbitmq-server
}

make_environment requirements.lock
case " $* " in
    *" --help "*) ;; # to read about it, no broker is needed
    *) need_broker ;;
esac
exec .venv/bin/python -m deploy.demo "$@"
