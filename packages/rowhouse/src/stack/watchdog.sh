# Ends the servers when the stack that started them is gone, however it went: its end of the
# pipe closes with it. Each line that the stack writes replaces the one before and reads
# "INT <pid> TERM <pid> ..."; an empty one means that nothing runs. A folder that is given goes, too.
folder=$1
trap '' HUP INT TERM

servers=
while read -r line; do
  servers=$line
done

# shellcheck disable=SC2086 # The words of the line are the arguments.
set -- $servers
while [ $# -gt 1 ]; do
  kill -s "$1" "$2" 2>/dev/null
  shift 2
done

# Once more, should the server have made a file in between.
[ -z "$folder" ] || rm -rf "$folder" || rm -rf "$folder"
