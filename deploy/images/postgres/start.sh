#!/usr/bin/env bash
# Make the data directory at the first start, run the SQL files of /docker-entrypoint-initdb.d on it, then be the server.
set -euo pipefail

programs=$(dirname "$(find /usr/lib/postgresql -name initdb -path '*/bin/*' | sort -V | tail -n 1)")
PATH=$programs:$PATH

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \
        --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 >/dev/null
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    # Reached by its socket only until it is complete, so that nobody takes half a server for a whole one.
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -c unix_socket_directories=/tmp" start >/dev/null
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ -e "$file" ] && psql -v ON_ERROR_STOP=1 -q -h /tmp -U "$POSTGRES_USER" -d postgres -f "$file"
    done
    pg_ctl -D "$PGDATA" -w -m fast stop >/dev/null
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
