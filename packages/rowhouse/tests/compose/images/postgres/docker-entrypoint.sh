#!/bin/bash
# What docker-compose.yml needs of the official image's entrypoint, and its order of events:
# a new database is made by a server that listens on the socket alone.
set -euo pipefail

server=/usr/lib/postgresql/18/bin
# Where Debian's psql looks for it.
socket=/var/run/postgresql

make_database() {
  # Split on purpose, as in the official image.
  # shellcheck disable=SC2086
  "$server/initdb" --username="${POSTGRES_USER:=postgres}" --auth-host=scram-sha-256 \
    --auth-local=trust --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  "$server/pg_ctl" --wait start \
    --options="--listen_addresses='' --unix_socket_directories=$socket"
  local psql=(psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER")
  if [ "${POSTGRES_DB:=$POSTGRES_USER}" != postgres ]; then
    "${psql[@]}" --dbname=postgres --set=name="$POSTGRES_DB" <<<'create database :"name";'
  fi
  local file
  for file in /docker-entrypoint-initdb.d/*.sql; do
    [ ! -e "$file" ] || "${psql[@]}" --dbname="$POSTGRES_DB" --file="$file"
  done
  "$server/pg_ctl" --wait --mode=fast stop
}

if [ "${1:-}" != postgres ]; then exec "$@"; fi

if [ "$(id -u)" = 0 ]; then
  install --directory --owner=postgres --mode=0700 "$PGDATA"
  install --directory --owner=postgres --mode=3775 "$socket"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?must be set to make a new database}"
  make_database
fi
shift
exec "$server/postgres" --listen_addresses='*' --unix_socket_directories="$socket" "$@"
