# Dumps the database on a schedule: the service `backup` of docker-compose.yml runs it.
#
#   backup.sh          now, and then every BACKUP_HOURS hours
#   backup.sh once     now
#   backup.sh check    fails when the newest dump is older than two intervals
#
# PG* name the database. A dump is a folder named after its time in UTC: database.dump (for
# pg_restore), roles.sql (without passwords) and SHA256SUMS. It gets that name when it is complete,
# so an interrupted dump never counts. Only the newest BACKUP_KEEP are kept.
set -u
umask 077
dir=${BACKUP_DIR:-/backups}
hours=${BACKUP_HOURS:-24}
keep=${BACKUP_KEEP:-14}

# A wrong value must not remove dumps: at least the newest is kept.
case $keep in
'' | *[!0-9]* | 0*)
  echo "BACKUP_KEEP is \"$keep\": give a whole number from 1." >&2
  exit 2
  ;;
esac

dumps() {
  find "$dir" -mindepth 1 -maxdepth 1 -type d -name '????????T??????Z' | sort -r
}

take() {
  stamp=$(date -u +%Y%m%dT%H%M%SZ)
  draft=$dir/$stamp.part
  mkdir "$draft" &&
    pg_dump --format=custom --no-password --file="$draft/database.dump" &&
    pg_dumpall --roles-only --no-role-passwords --no-password --file="$draft/roles.sql" &&
    (cd "$draft" && sha256sum database.dump roles.sql >SHA256SUMS) &&
    sync &&
    mv "$draft" "$dir/$stamp" &&
    echo "Dumped to $stamp."
}

prune() {
  dumps | tail -n "+$((keep + 1))" | while read -r old; do rm -rf "$old"; done
}

# First remove what an interrupted dump left.
turn() {
  rm -rf "$dir"/????????T??????Z.part
  if take; then
    prune
  else
    rm -rf "$dir"/????????T??????Z.part
    echo "The dump failed; older dumps are kept." >&2
    return 1
  fi
}

# In the background: a shell that runs sleep in the foreground handles no signal.
rest() {
  sleep "$1" &
  wait $!
}

case ${1:-} in
once) turn ;;
check) [ -n "$(find "$dir" -mindepth 1 -maxdepth 1 -name '????????T??????Z' -mmin "-$((hours * 120))")" ] ;;
*)
  trap 'exit 0' TERM INT
  while :; do
    if turn; then rest "$((hours * 3600))"; else rest 300; fi
  done
  ;;
esac
