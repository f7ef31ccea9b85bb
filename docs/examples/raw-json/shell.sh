#!/bin/sh
# Emits one event on a channel without any library: JSON and a NUL on a Unix socket.
#
#     shell.sh RUNDIR CHANNEL EVENT JSON
set -eu
[ $# -eq 4 ] || { echo "usage: shell.sh RUNDIR CHANNEL EVENT JSON" >&2; exit 2; }
printf '{"event":"%s","data":%s}\0' "$3" "$4" | socat - "UNIX-CONNECT:$1/$2.sock"
