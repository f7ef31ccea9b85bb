#!/bin/sh
# Emits one event on a channel without any library: JSON and a NUL on a Unix socket.
#
#     shell.sh RUNDIR CHANNEL EVENT JSON
set -eu
printf '{"event":"%s","data":%s}\0' "$3" "$4" | socat - "UNIX-CONNECT:$1/$2.sock"
