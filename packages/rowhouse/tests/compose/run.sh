#!/usr/bin/env bash
# Runs docker-compose.yml for real where no Docker engine is: podman stands in for the engine, and
# images built here stand in for the official ones. Needs root, Debian's packages and `npm install`.
#
#   tests/compose/run.sh
#
# Prints a line for each check, and fails when one failed. Keeps Debian's base and the images in
# ${XDG_CACHE_HOME:-~/.cache}/rowhouse-compose; nothing else outlives the run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
here=$root/packages/rowhouse/tests/compose
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rowhouse-compose
passed=0
failed=0
project=rowhouse-compose-$$

# shellcheck source=tests/compose/engine.sh
source "$here/engine.sh"

main() {
  if [ "$(id -u)" != 0 ]; then
    echo "Containers are started as root here: run it with sudo, or in a CI job that is root." >&2
    exit 2
  fi
  trap cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if [ -n "${ROWHOUSE_COMPOSE_WORK:-}" ]; then
    work=$ROWHOUSE_COMPOSE_WORK
    inside
  else
    work=$(mktemp --directory --tmpdir rowhouse-compose.XXXXXX)
    prepare
    # With a network and mounts of its own: every port is free, and what the containers leave in
    # the machine's firewall and mounts ends with the run.
    ROWHOUSE_COMPOSE_WORK=$work unshare --net --mount bash "${BASH_SOURCE[0]}"
  fi
}

# What needs the machine's network.
prepare() {
  install_packages
  make_env
  local images
  mapfile -t images < <(compose config | sed -n 's/^ *image: //p' | sort --unique | without_pooler)
  build_images "${images[@]}"
}

volumes() {
  podman volume ls --quiet | sort | xargs
}

# Debian's PgBouncer is older than compose needs: the pooler is tried where another is named.
without_pooler() {
  if [ -n "${PGBOUNCER_BIN:-}" ]; then cat; else grep --invert-match /pgbouncer:; fi
}

inside() {
  ip link set lo up
  # Else two runs would share one name server, which knows the containers of the first alone.
  mkdir -p /run/containers
  mount -t tmpfs tmpfs /run/containers
  make_env
  start_engine
  check_variables
  check_missing_secrets
  check_up
  check_pooler
  check_jwt_settings
  check_down
  report
}

# The secrets hold every character that a URL, a shell, SQL or a .env file could stumble over.
make_env() {
  # A certificate for this machine, which the edge's user may read.
  mkdir -p "$work/certificates"
  [ -e "$work/certificates/edge.pem" ] || make_certificate
  secrets=(
    "POSTGRES_PASSWORD=p@ss:/w?rd #%41&'\"\\\$x é"
    "AUTHENTICATOR_PASSWORD=a@ss:/w?rd #%41&'\"\\\$x é"
    "JWT_SECRET=0123456789 #%41&'\"\\\$x {}[] é abcdef"
    "IDENTITY_PASSWORD=i@ss:/w?rd #%41&'\"\\\$x é"
    "AUTH_SECRET=0123456789 #%41&'\"\\\$x {}[] é ghijklm"
    "OWNER_PASSWORD=o@ss:/w?rd #%41&'\"\\\$x é"
  )
  # Many requests come from one address here.
  settings=("EDGE_CERTIFICATES=$work/certificates" "CORS_ORIGINS=https://app.example.com"
    "EDGE_ADDRESS_RATE=100000" "EDGE_USER_RATE=100000")
  # What a user starts from, with every variable empty: empty must count as missing.
  cp "$root/.env.example" "$work/env"
}

make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
  cat "$work/certificate.pem" "$work/key.pem" >"$work/certificates/edge.pem"
  # $work is root's alone; the container sees the folder and not what is above it.
  chmod 755 "$work/certificates" && chmod 644 "$work/certificates/edge.pem"
}

# ask <arguments of curl...>: of the edge, whose certificate is checked.
ask() {
  curl --silent --max-time 5 --cacert "$work/certificate.pem" "$@"
}

# compose <arguments...>: docker-compose with nothing of the user's own environment or .env.
compose() {
  compose_with "${secrets[@]}" "${settings[@]}" -- "$@"
}

# compose_with <variables...> -- <arguments...>
compose_with() {
  local variables=()
  while [ "$1" != -- ]; do variables+=("$1") && shift; done
  shift
  env --ignore-environment PATH="$PATH" HOME="$work" DOCKER_HOST="${DOCKER_HOST:-}" LANG=C.UTF-8 \
    COMPOSE_PROJECT_NAME="$project" "${variables[@]}" \
    timeout --foreground 180 docker-compose --env-file "$work/env" --file "$root/docker-compose.yml" "$@"
}

# check <sentence> <command...>: a check that holds when the command, each step of it, succeeds.
check() {
  local sentence=$1 status
  shift
  # Not as the condition of an if: that would switch off set -e in all of the command.
  set +e
  (set -e && "$@") >"$work/check.log" 2>&1
  status=$?
  set -e
  if [ $status = 0 ]; then
    passed=$((passed + 1))
    echo "ok - $sentence"
  else
    failed=$((failed + 1))
    echo "not ok - $sentence"
    tail -15 "$work/check.log" | sed 's/^/  /' >&2
  fi
}

# two_users <job|kept>: each line that it prints is a check of its own.
two_users() {
  local line status=0
  API_URL=https://localhost NODE_EXTRA_CA_CERTS="$work/certificate.pem" JWT_SECRET=${secrets[2]#*=} \
    DATABASE_HOST=$(address_of postgres) POSTGRES_PASSWORD=${secrets[0]#*=} \
    node --import tsx "$here/two-users.ts" "$1" "$work/kept.json" \
    >"$work/lines" || status=$?
  while IFS= read -r line; do
    echo "$line"
    case $line in
    "ok - "*) passed=$((passed + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac
  done <"$work/lines"
  # It fails also when it breaks off, with no line that says so.
  check "two-users.ts $1 came to its end" [ $status = 0 ]
}

check_variables() {
  local name
  # shellcheck disable=SC2016
  for name in $(grep --only-matching '\${[A-Z_]*' "$root/docker-compose.yml" | tr -d '${' | sort --unique); do
    check ".env.example explains $name" grep --quiet "^$name=" "$root/.env.example"
  done
}

check_missing_secrets() {
  local secret name
  for secret in "${secrets[@]}"; do
    name=${secret%%=*}
    check "without $name it refuses to start and says what to do" refuses_without "$name"
  done
}

refuses_without() {
  local others=() secret output
  for secret in "${secrets[@]}"; do
    [[ $secret == "$1="* ]] || others+=("$secret")
  done
  if output=$(compose_with "${others[@]}" "${settings[@]}" -- config 2>&1); then
    echo "It was accepted." && return 1
  fi
  echo "$output"
  grep --quiet "$1 is missing. Make one with" <<<"$output"
}

check_up() {
  local files before started
  files=$(find "$root/db/migrations" -name '*.sql' | wc --lines)
  check "up from nothing" compose up -d
  check "PostgREST answers" answers
  check "every server runs and every one-shot ended well" all_well
  check "migrate applied all $files migrations" migrated "$files"
  check "ports 80 and 443 of the edge are the only ones published" only_edge_is_published
  check "port 80 leads to HTTPS" leads_to_https
  check "the edge's certificate is taken anew without a restart" takes_new_certificate
  check "no container can write outside of its volumes and /tmp, or has a capability too many" confined
  check "the database and its tables belong to an owner that is no superuser" owner_is_no_superuser
  check "a person signs up, and the tokens of their sessions reach the API" signs_up
  check "the signing key is rotated, and the next token reaches the API" rotates_keys
  check "an origin of CORS_ORIGINS is allowed, and another is not" cors_pinned
  two_users job

  check "restart" compose restart
  check "PostgREST answers after it" answers
  check "every one-shot ended well after it" all_well
  two_users kept

  before=$(servers) started=$(migrate_started)
  check "up again when nothing changed" compose up -d
  check "no server was made anew" [ "$before" = "$(servers)" ]
  check "migrate ran again" [ "$started" != "$(migrate_started)" ]
  check "and had nothing to do" migrated "$files"
  check "every one-shot ended well again" all_well
  two_users kept

  check "down" compose down
  check "and it leaves the named volumes alone" [ "$(volumes)" = "${project}_backups ${project}_data ${project}_keys" ]
  check "up on the old volume" compose up -d
  check "PostgREST answers after it" answers
  check "migrate had nothing to do" migrated 0
  two_users kept

  secrets[1]="AUTHENTICATOR_PASSWORD=another one; drop role authenticator; --"
  secrets[5]="OWNER_PASSWORD=another one, too; drop role owner; --"
  check "new passwords of authenticator and the owner are taken over by up" compose up -d
  check "PostgREST answers with it" answers
  two_users kept
  check "no log holds a secret" logs_are_clean
}

# A password of every difficult character also has to pass PgBouncer's list of users.
check_pooler() {
  if [ -z "${PGBOUNCER_BIN:-}" ]; then
    echo "skipped - the profile pooler: set PGBOUNCER_BIN to a PgBouncer 1.21 or newer" && return
  fi
  local before=("${settings[@]}")
  secrets[1]="AUTHENTICATOR_PASSWORD=p@ss:/w?rd #%41&'\"\\\$x é \"\" end"
  settings+=("COMPOSE_PROFILES=pooler" "API_DB_HOST=pooler" "API_DB_CHANNEL=false")
  check "up with PgBouncer between" compose up -d
  check "PostgREST answers through it" answers
  check "and all its connections come from there" from_pooler_alone
  two_users kept
  check "no log holds a secret then" logs_are_clean
  check "the pooler goes" compose rm --stop --force pooler
  settings=("${before[@]}")
  check "up without it" compose up -d
  check "PostgREST answers as before" answers
}

from_pooler_alone() {
  local address clients
  address=$(address_of pooler)
  clients=$(query "select distinct host(client_addr) from pg_stat_activity where usename = 'authenticator'")
  echo "the pooler is $address, the clients are $clients"
  [ "$clients" = "$address" ]
}

# address_of <service>: where its container is on the network that they share.
address_of() {
  podman inspect --format='{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "${project}_$1_1"
}

# Waits long, since after a restart the engine's name server may be slow, and then PostgREST waits up
# to 32 s between two attempts to reach PostgreSQL.
answers() {
  local deadline=$((SECONDS + 150)) status
  while ((SECONDS < deadline)); do
    status=$(ask --output /dev/null --write-out '%{http_code}' https://localhost/) || true
    [ "$status" != 200 ] || return 0
    sleep 0.2
  done
  compose logs --tail=10
  return 1
}

all_well() {
  local service
  for service in postgres auth postgrest edge; do
    [ "$(state_of "$service")" = running ]
    [ "$(podman inspect --format='{{.RestartCount}}' "${project}_${service}_1")" = 0 ]
  done
  for service in owner migrate authenticator; do
    # A restart does not wait for the one-shots to end.
    podman wait "${project}_${service}_1"
    [ "$(state_of "$service")" = "exited 0" ]
  done
}

# state_of <service>: "running", or "exited" and its status.
state_of() {
  local state
  state=$(podman inspect --format='{{.State.Status}} {{.State.ExitCode}}' "${project}_$1_1")
  echo "$1: $state" >&2
  echo "${state/running 0/running}"
}

only_edge_is_published() {
  podman ps --all --format '{{.Names}} {{.Ports}}' | tee "$work/ports"
  [ "$(grep --count -- '->' "$work/ports")" = 1 ]
  grep --quiet "^${project}_edge_1 .*:443->8443/tcp" "$work/ports"
  grep --quiet "^${project}_edge_1 .*:80->8080/tcp" "$work/ports"
  # PostgREST's admin port is not behind it.
  [ "$(ask --output /dev/null --write-out '%{http_code}' https://localhost/ready)" != 200 ]
}

leads_to_https() {
  curl --silent --head http://localhost/tasks | tr -d '\r' | grep --ignore-case '^location: https://localhost/tasks$'
}

serial() {
  openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -serial
}

takes_new_certificate() {
  local before
  before=$(serial)
  make_certificate
  compose kill -s USR2 edge
  for _ in $(seq 50); do
    [ "$(serial)" = "$before" ] || break
    sleep 0.1
  done
  [ "$(serial)" != "$before" ]
  [ "$(podman inspect --format='{{.RestartCount}}' "${project}_edge_1")" = 0 ]
}

confined() {
  local container
  for container in $(podman ps --all --format '{{.Names}}'); do
    podman inspect --format='{{.Name}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.EffectiveCaps}}' "$container" | tee --append "$work/confined"
  done
  # Read-only, with a limit of memory; PostgreSQL's image alone starts with capabilities.
  if grep --invert-match --extended-regexp '^\S+ true [1-9][0-9]+ ' "$work/confined"; then return 1; fi
  if grep --invert-match "_postgres_1 " "$work/confined" | grep CAP_; then return 1; fi
}

# query <SQL>: as the superuser.
query() {
  podman exec --user=postgres "${project}_postgres_1" psql --no-psqlrc --tuples-only --no-align --dbname=rowhouse --command="$1"
}

owner_is_no_superuser() {
  [ "$(query "select rolname, rolsuper from pg_database join pg_roles on pg_roles.oid = datdba where datname = 'rowhouse'")" = "owner|f" ]
  [ "$(query "select distinct tableowner from pg_tables where schemaname in ('api', 'identity')")" = owner ]
}

# The link of the mail is in the log, where no SMTP server is set.
signs_up() {
  local link
  post /sign-up/email "$person"
  link=$(podman logs "${project}_auth_1" 2>&1 | grep --only-matching 'http[^ ]*/verify-email?[^ ]*' | tail -1)
  ask --fail --output /dev/null "$link"
  signs_in
}

auth=https://localhost/auth
person='{"name":"Ada","email":"ada@example.com","password":"correct horse battery"}'

# post <path> <json> <arguments of curl...>
post() {
  ask --fail --header 'content-type: application/json' --data "$2" "${@:3}" "$auth$1"
}

signs_in() {
  local session token
  session=$(post /sign-in/email "$person" --dump-header - --output /dev/null | tr -d '\r' | sed -n 's/^set-auth-token: //p')
  token=$(ask --fail --header "authorization: Bearer $session" "$auth/token" | sed 's/.*"token":"\([^"]*\)".*/\1/')
  ask --fail --header "authorization: Bearer $token" --header 'content-type: application/json' \
    --data '{"title":"Say hello"}' https://localhost/tasks
}

# The new key signs the next token, and PostgREST takes it.
rotates_keys() {
  local before after
  before=$(keys list)
  keys rotate
  after=$(keys list)
  [ "$before" != "$after" ]
  signs_in
}

# The engine's name server may be slower than a connection may take; an interrupted rotation is run again.
keys() {
  local _
  for _ in 1 2 3; do
    podman exec "${project}_auth_1" node /auth/main.js keys "$1" && return
  done
  return 1
}

cors_pinned() {
  allowed_origin https://app.example.com | grep --ignore-case '^access-control-allow-origin: https://app.example.com'
  if allowed_origin https://evil.example.com | grep --ignore-case '^access-control-allow-origin:'; then return 1; fi
}

allowed_origin() {
  ask --head --header "origin: $1" https://localhost/
}

servers() {
  compose ps --quiet postgres auth postgrest edge | sort | tr '\n' ' '
}

# migrated <number>: how many migrations the present container of migrate has applied in its life.
migrated() {
  podman logs "${project}_migrate_1" >"$work/migrate.log" 2>&1
  cat "$work/migrate.log"
  [ "$(grep --count '^Applied: ' "$work/migrate.log")" = "$1" ]
}

migrate_started() {
  podman inspect --format='{{.State.StartedAt}}' "${project}_migrate_1"
}

logs_are_clean() {
  local container secret
  for container in $(podman ps --all --quiet); do podman logs "$container"; done >"$work/logs" 2>&1
  [ -s "$work/logs" ]
  for secret in "${secrets[@]}"; do
    if grep --fixed-strings "${secret#*=}" "$work/logs"; then return 1; fi
  done
}

# PostgREST takes a key that it cannot parse for a password that is no secret, and any text for a lifetime.
check_jwt_settings() {
  local lifetime modulus=u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTL sound=${secrets[2]}
  local pem='-----BEGIN PUBLIC KEY----- MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'
  check "a JWT_SECRET that is too short is refused" refuses_secret "a-secret-of-thirty-one-bytes-is"
  check "a PEM key is refused" refuses_secret "$pem"
  check "a broken JWK is refused" refuses_secret "{\"kty\":\"RSA\",\"n\":\"$modulus"
  check "a JWK without an exponent is refused" refuses_secret "{\"kty\":\"RSA\",\"n\":\"$modulus\"}"
  check "a JWK set with such a key is refused" refuses_secret "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"$modulus\"}]}"
  check "a JWK of an unknown type is refused" refuses_secret "{\"kty\":\"none\",\"n\":\"$modulus\"}"
  check "a JWK set without a key is refused" refuses_secret '{"keys":[],"and":"more than enough bytes"}'
  check "the name of a file is refused" refuses_secret "@/etc/hostname-and-so-on-and-so-on"
  check "a JWK is accepted" takes_secret "{\"kty\":\"RSA\",\"n\":\"$modulus\",\"e\":\"AQAB\"}"
  check "a JWK set is accepted" takes_secret "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"$modulus\",\"e\":\"AQAB\"}]}"
  for lifetime in 1d 59 -60 1e9 315360001 '; drop' ''; do
    check "a JWT_MAX_LIFETIME of \"$lifetime\" is refused" refuses_lifetime "$lifetime"
  done
  check "a minute is accepted" takes_settings "$sound" JWT_MAX_LIFETIME=60
  check "32 bytes are accepted" takes_secret "0123456789abcdef0123456789abcdef"

  secrets[2]="JWT_SECRET=$pem"
  check "up with a PEM key starts no PostgREST" up_stops_at_authenticator
  secrets[2]=$sound
}

# takes_settings <variables...>
takes_settings() {
  podman exec --interactive --user=postgres "${@/#/--env=}" "${project}_postgres_1" \
    psql --no-psqlrc --quiet --tuples-only --set=ON_ERROR_STOP=1 --dbname=rowhouse --file=- \
    <"$root/compose/settings.sql"
}

takes_secret() {
  takes_settings JWT_SECRET="$1"
}

refuses_secret() {
  local output
  if output=$(takes_secret "$1" 2>&1); then return 1; fi
  echo "$output"
  grep 'ERROR:  JWT_SECRET ' <<<"$output"
}

refuses_lifetime() {
  local output
  if output=$(takes_settings JWT_SECRET=0123456789abcdef0123456789abcdef JWT_MAX_LIFETIME="$1" 2>&1); then return 1; fi
  echo "$output"
  grep --fixed-strings "ERROR:  JWT_MAX_LIFETIME is \"$1\"" <<<"$output"
}

up_stops_at_authenticator() {
  compose rm --stop --force postgrest
  if compose up -d; then return 1; fi
  [ "$(state_of authenticator)" = "exited 3" ]
  [ -z "$(compose ps --quiet postgrest)" ]
}

check_down() {
  check "down -v" compose down -v
  check "leaves no container" [ -z "$(podman ps --all --quiet)" ]
  check "leaves no volume" [ -z "$(podman volume ls --quiet)" ]
  check "leaves no network" [ -z "$(podman network ls --quiet --filter="name=$project")" ]
}

report() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

cleanup() {
  local status=$?
  trap - EXIT INT TERM HUP
  stop_engine
  # Inside, $work is not ours to remove.
  [ -n "${ROWHOUSE_COMPOSE_WORK:-}" ] || rm -rf "$work"
  exit $status
}

main
